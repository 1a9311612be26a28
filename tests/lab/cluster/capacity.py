"""How many cores the node says it has.

The scheduler counts requests, and a lab of two cores is full of them long before it is busy. So the kubelet,
and nothing else, sees a larger machine: in a mount namespace of its own, with another /sys/devices/system.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tests.lab.cluster import layout

CPUS = 8
"""Room for phase 4 ``small`` (2.2 CPUs of requests) beside a phase 3, and for the cluster itself."""

_SYSTEM = Path("/sys/devices/system")
_SHARE = '{ mountpoint -q "$0" || { mount --bind "$0" "$0" && mount --make-shared "$0"; }; }'
"""What the kubelet mounts below its folder reaches the machine, where containerd looks for it."""
_SHOW = (
    'mount --make-rprivate /sys && mount -t tmpfs -o size=1m tmpfs "$1" && cp -r "$0/." "$1"'
    ' && shift && exec "$@"'
)
_ENTER = f"{_SHARE} && exec unshare --mount --propagation unchanged sh -c '{_SHOW}' \"$@\""


def seeing_more(command: Sequence[str | Path], root: Path) -> list[str | Path]:
    """The same command, in a mount namespace in which the machine has ``CPUS`` cores.

    A machine with as many cores, or without this part of /sys, is shown as it is.

    Args:
        command: how the kubelet is started.
        root: the folder below which it mounts volumes.
    """
    if (os.cpu_count() or 1) >= CPUS or not (_SYSTEM / "node").exists():
        return list(command)
    return ["sh", "-c", _ENTER, root, _topology(), _SYSTEM, *command]


def _topology() -> Path:
    """A folder like /sys/devices/system: the machine's own cores, in as many sockets as add up to the number.

    No core has a number that the machine lacks: the kubelet gives those that it sees to the pods' group.
    """
    folder = layout.state("topology")
    own = sorted(path.name for path in _SYSTEM.glob("cpu/cpu[0-9]*"))
    sockets = [folder / "node" / f"node{number}" for number in range(-(-CPUS // len(own)))]
    for number, place in enumerate([folder / "cpu", *sockets]):
        for core in own:
            topology = place / core / "topology"
            topology.mkdir(parents=True, exist_ok=True)
            (topology / "core_id").write_text(f"{core.removeprefix('cpu')}\n")
            (topology / "physical_package_id").write_text(f"{number}\n")
    return folder
