"""Who listens on a TCP port of this machine."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker

from components.values.addresses import EVERYWHERE, overlap

PROC = Path("/proc")
_LISTEN = "0A"


@dataclass(frozen=True, kw_only=True)
class Published:
    """A port that a container publishes.

    Attributes:
        address: of the machine, on which it is published.
        port: the port there.
        container: the container's name.
    """

    address: str
    port: int
    container: str

    def takes(self, address: str, port: int) -> bool:
        """Tell whether nothing else can be published there."""
        return self.port == port and overlap(self.address, address)


@dataclass(frozen=True, kw_only=True)
class Holder:
    """What holds a port.

    Attributes:
        container: name of the container that publishes it; empty for another program.
        program: the program's name and process id, or why they are not known; empty for a container.
    """

    container: str = ""
    program: str = ""

    def __str__(self) -> str:
        """Name the holder for people."""
        return f"container {self.container}" if self.container else self.program


def is_taken(address: str, port: int) -> bool:
    """Tell whether something listens where ``address:port`` is going to be published."""
    with socket.socket(_family(address), socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def is_elsewhere(address: str) -> bool:
    """Tell whether an address is none of this machine's, so that nothing can be published on it."""
    with socket.socket(_family(address), socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            return error.errno == errno.EADDRNOTAVAIL
    return False


def publishing_containers(client: docker.DockerClient) -> list[Published]:
    """Give the ports that containers publish."""
    return [
        Published(
            address=port.get("IP") or EVERYWHERE[0],
            port=int(port["PublicPort"]),
            container=str(container["Names"][0]).lstrip("/"),
        )
        for container in client.api.containers()
        for port in container.get("Ports") or []
        if port.get("PublicPort")
    ]


def listening_program(port: int, proc: Path = PROC) -> str:
    """Name the program that listens on a port, as far as this user may see it."""
    inodes = set(_listening_inodes(port, proc))
    for directory in proc.glob("[0-9]*"):
        if inodes.intersection(_open_sockets(directory)):
            name = "".join(_lines(directory / "comm")) or "a program that has just ended"
            return f"{name} (process {directory.name})"
    return f"another user's program (sudo ss -ltnp sport = :{port} names it)"


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _listening_inodes(port: int, proc: Path) -> Iterator[str]:
    for table in (proc / "net" / "tcp", proc / "net" / "tcp6"):
        for line in _lines(table)[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
                yield fields[9]


def _open_sockets(directory: Path) -> Iterator[str]:
    """Inodes of the sockets that a process has open; none when it is gone or belongs to somebody else."""
    try:
        descriptors = list((directory / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target[len("socket:[") : -1]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
