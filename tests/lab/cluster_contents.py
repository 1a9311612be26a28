"""What the images of the cluster's own pods hold."""

from __future__ import annotations

from tests.lab import alpine, cache, debian
from tests.lab.rootfs import RootFs


def pause(root: RootFs) -> None:
    """A process that holds a pod's namespaces and does nothing else."""
    root.program("bin/busybox", debian.busybox())
    root.link("bin/sleep", "busybox")
    root.users({"nobody": (65534, 65534)})


def coredns(root: RootFs) -> None:
    """The program and nothing else."""
    root.program("coredns", cache.binary("coredns"))


def metrics_server(root: RootFs) -> None:
    """The program, and a folder for the certificate that it makes for itself."""
    root.program("metrics-server", cache.binary("metrics-server"))
    root.directory("tmp", mode=0o1777)


def local_path_provisioner(root: RootFs) -> None:
    """The program and nothing else."""
    root.program("usr/bin/local-path-provisioner", cache.binary("local-path-provisioner"))


def busybox(root: RootFs) -> None:
    """A shell and tools, for the pods that make and remove the folders of volumes."""
    alpine.tools(root)
