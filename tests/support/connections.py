"""Connections that pods really have: their sockets, and the node's record of those that are short."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab import proc

PROC = Path("/proc")
LISTEN = "0A"
MAPPED = "0000000000000000FFFF0000"
"""Before an IPv4 address in the table of IPv6 sockets."""
STARTED = 19
"""Place of the start time, in ticks since the machine started, in ``proc.stat``."""
_PAIR = re.compile(r"\b(src|dst|sport|dport)=(\S+)")


@dataclass(frozen=True, order=True)
class Connection:
    """One end opened a connection to a port of the other; addresses as seen by whichever end reports it.

    Attributes:
        source: address of the one that opened it.
        target: address it was opened to: a pod's, or a Service's.
        port: number of the port it was opened to.
    """

    source: str
    target: str
    port: int


def over_tcp(uids: Mapping[str, str]) -> set[Connection]:
    """Give the connections that pods have now, from their own tables of sockets.

    Args:
        uids: address of each pod, by its uid.
    """
    found: set[Connection] = set()
    for uid, process in processes_of(uids).items():
        found |= set(_of_pod(process, uids[uid]))
    return found


def over_udp(port: int) -> set[Connection]:
    """Give who sent packets to a port in the last minutes; targets are pods, not Services."""
    return {one for one in _recorded("udp") if one.port == port}


def ended_over_tcp() -> set[Connection]:
    """Give connections that were opened and closed in the last seconds; targets are pods, not Services."""
    return set(_recorded("tcp", marked="[ASSURED]"))


def _recorded(transport: str, marked: str = "") -> Iterator[Connection]:
    """Read the node's record of connections, which outlives them for a while."""
    for line in (PROC / "net" / "nf_conntrack").read_text().splitlines():
        if line.split()[2] == transport and marked in line:
            pairs = _PAIR.findall(line)
            source, real = pairs[0][1], dict(pairs[4:])
            yield Connection(source, real["src"], int(real["sport"]))


def processes_of(uids: Iterable[str]) -> Mapping[str, Path]:
    """Find the oldest process of each pod, as its folder in /proc, by the name of the control group.

    That is its sandbox's, which lives as long as the pod; others may be a probe's, gone a moment later.
    """
    wanted = set(uids)
    found: dict[str, tuple[int, Path]] = {}
    for process in PROC.glob("[0-9]*"):
        try:
            group = (process / "cgroup").read_text().replace("_", "-")
            started = int(proc.stat(process)[STARTED])
        except (FileNotFoundError, ProcessLookupError):
            continue
        match = re.search(r"pod([0-9a-f-]{36})", group)
        if match and match[1] in wanted:
            found[match[1]] = min(found.get(match[1], (started, process)), (started, process))
    return {uid: process for uid, (_, process) in found.items()}


def listening(process: Path) -> set[int]:
    """Give the ports on which the pod of a process listens over TCP, except those on its loopback alone."""
    return {
        _port(line[1])
        for line in _sockets(process)
        if line[3] == LISTEN and not _address(line[1]).is_loopback
    }


def _sockets(process: Path) -> list[list[str]]:
    """Give the lines of a pod's tables of TCP sockets."""
    lines: list[list[str]] = []
    for table in ("tcp", "tcp6"):
        try:
            rows = (process / "net" / table).read_text().splitlines()[1:]
        except (FileNotFoundError, ProcessLookupError, OSError):
            continue
        lines += [row.split() for row in rows]
    return lines


def _of_pod(process: Path, own: str) -> Iterator[Connection]:
    lines = _sockets(process)
    own_ports = {_port(line[1]) for line in lines if line[3] == LISTEN}
    for line in lines:
        other = _address(line[2])
        if line[3] == LISTEN or other.is_loopback or other.is_unspecified or str(other) == own:
            continue
        if _port(line[1]) in own_ports:
            yield Connection(str(other), own, _port(line[1]))
        else:
            yield Connection(own, str(other), _port(line[2]))


def _port(end: str) -> int:
    return int(end.rpartition(":")[2], 16)


def _address(end: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address: words of four bytes, each with its last byte first."""
    packed = bytes.fromhex(end.partition(":")[0].removeprefix(MAPPED))
    words = [packed[index : index + 4][::-1] for index in range(0, len(packed), 4)]
    return ipaddress.ip_address(b"".join(words))
