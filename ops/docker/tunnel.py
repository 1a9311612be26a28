"""Ports of another machine's loopback address, through SSH to it, for as long as a command needs them."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from components.values.addresses import LOOPBACK
from ops.background import Background
from ops.errors import OpsError

OPEN_SECONDS = 30.0
"""Longest wait for SSH to log in and open the ports."""

Target = tuple[str, int]
"""Address and port, as that machine sees them."""


def local_target(url: object) -> Target | None:
    """Return where a URL leads, if that is only on the machine that publishes it."""
    parts = urlsplit(str(url))
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return None
    inside = address.is_loopback or address.is_unspecified
    return (str(address), parts.port) if inside and parts.port is not None else None


@contextmanager
def tunnelled(
    host: str, targets: Sequence[Target], *, same_ports: bool = False
) -> Iterator[Mapping[Target, int]]:
    """Open local ports to ports of the machine of a Docker Engine.

    Args:
        host: address of the engine, ``ssh://[user@]host[:port]``.
        targets: where the ports lead.
        same_ports: use the targets' own numbers, not free ones.

    Returns:
        Local port by target.

    Raises:
        OpsError: SSH does not open the ports.
    """
    local = {target: target[1] if same_ports else _free_port() for target in targets}
    taken = [str(port) for port in local.values() if _is_open(port)]
    if taken:
        raise OpsError(f"taken on this machine: port {', '.join(taken)}", "stop what listens there")
    try:
        ssh = Background(_command(host, local))
    except FileNotFoundError as error:
        raise OpsError("ssh is not installed, and docker.host needs it", status=2) from error
    try:
        if not ssh.wait(lambda: all(map(_is_open, local.values())), OPEN_SECONDS):
            lines = ssh.said.splitlines() or ["no answer"]
            raise OpsError(
                f"{host}: no tunnel to the stack's ports: {lines[-1]}",
                f"this must work without a question: {' '.join(_login(host))} true",
            )
        yield local
    finally:
        ssh.stop()


def _command(host: str, local: Mapping[Target, int]) -> list[str]:
    ports = [
        part
        for (address, port), number in local.items()
        for part in ("-L", f"{LOOPBACK}:{number}:[{address}]:{port}")
    ]
    ssh, *login = _login(host)
    return [ssh, "-N", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", *ports, *login]


def _login(host: str) -> list[str]:
    parts = urlsplit(host)
    user = f"{parts.username}@" if parts.username else ""
    return ["ssh", *(["-p", str(parts.port)] if parts.port else []), f"{user}{parts.hostname}"]


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
