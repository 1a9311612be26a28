"""The shell and tools of Alpine and BusyBox images, by way of Debian's BusyBox."""

from __future__ import annotations

import subprocess

from tests.lab import debian
from tests.lab.rootfs import RootFs


def tools(root: RootFs, folder: str = "bin") -> None:
    """Add a shell and tools; those that a base has already stay as they are."""
    program = debian.busybox()
    root.program(f"{folder}/busybox", program)
    names = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        if name != "busybox":
            root.link(f"{folder}/{name}", "busybox")
    root.directory("tmp", mode=0o1777)
    root.users({"nobody": (65534, 65534)})
