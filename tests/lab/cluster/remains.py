"""Removes what the kernel keeps of a cluster after its processes: mounts, control groups, files."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

from tests.lab import store
from tests.lab.cluster import layout, processes

_CGROUPS = Path("/sys/fs/cgroup")
_POD_LOG_LINKS = Path("/var/log/containers")


def make_cgroup(node: layout.Node = layout.FIRST) -> None:
    """Make the control group of a node's pods, in every hierarchy of version 1 or in the one of version 2."""
    for hierarchy in _hierarchies():
        group = hierarchy / node.cgroup
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            setting, inherited = group / name, hierarchy / name
            if setting.exists() and inherited.exists() and not setting.read_text().strip():
                setting.write_text(inherited.read_text())


def kill_pods(*nodes: layout.Node) -> None:
    """Kill every process of every pod of these nodes."""
    for group in cgroups(*nodes):
        with suppress(OSError):
            processes.kill([int(pid) for pid in (group / "cgroup.procs").read_text().split()])


def remove_cgroups(*nodes: layout.Node) -> None:
    """Remove the pods' control groups; one whose process is still ending is left to a later call."""
    for group in cgroups(*nodes):
        with suppress(OSError):
            group.rmdir()


def cgroups(*nodes: layout.Node) -> list[Path]:
    """The control groups of the nodes' pods, the innermost first."""
    roots = [hierarchy / node.cgroup for hierarchy in _hierarchies() for node in nodes]
    found = [path for root in roots for path in (root, *root.rglob("*")) if path.is_dir()]
    return sorted(found, key=lambda path: len(path.parts), reverse=True)


def mounts() -> list[str]:
    """Everything mounted below the cluster's folders, the last mounted first."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split()[1] for line in lines]
    ours = tuple(f"{folder}/" for folder in (layout.home(), layout.RUN))
    return [point for point in reversed(points) if point.startswith(ours)]


def unmount(*folders: Path) -> None:
    """Unmount all of it, or what is below some folders; what is still in use goes when its user ends."""
    ours = tuple(f"{folder}/" for folder in folders or (Path("/"),))
    for point in mounts():
        if f"{point}/".startswith(ours) or not folders:
            subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)


def delete_files() -> None:
    """Delete the cluster's state, and the links to its logs; containerd's images stay."""
    if not mounts():
        store.remove(layout.state_root())
        store.remove(layout.RUN)
        layout.kubeconfig().unlink(missing_ok=True)
    for link in _POD_LOG_LINKS.glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(layout.home()):
            link.unlink()


def _hierarchies() -> list[Path]:
    if (_CGROUPS / "cgroup.controllers").exists():
        return [_CGROUPS]
    return [path for path in _CGROUPS.iterdir() if (path / "cgroup.procs").exists() and not path.is_symlink()]
