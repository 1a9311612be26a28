"""Brings the cluster up step by step, and takes it down without a trace."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tests.lab import cache, debian, engine, image_table, resource_types, store
from tests.lab.cluster import (
    addons,
    components,
    configs,
    kubectl,
    layout,
    network,
    pki,
    processes,
    remains,
    runtime,
    second,
    waits,
)
from tests.lab.errors import LabError
from tests.lab.progress import say, step

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def up() -> None:
    """Start what is not running, and wait until pods can be scheduled, find each other and get volumes.

    Raises:
        LabError: when this is not root, a program is missing, or a step does not succeed in time.
    """
    _require()
    if _is_of_an_earlier_boot():
        down()
    with step("network, certificates, configuration"):
        network.up()
        remains.make_cgroup()
        pki.ensure()
        configs.write_all(debian.cni_plugins())
        _boot_marker().write_text(_BOOT_ID.read_text())
    with step("containerd and etcd"):
        _start(*components.RUNTIME)
        waits.wait("containerd to answer", runtime.is_ready, "containerd")
    with step("API server"):
        _start(components.API_SERVER)
        import_images(images())
        waits.wait("the API server to be ready", _api_is_ready, components.API_SERVER)
    with step("controllers, scheduler, kubelet, kube-proxy"):
        _start(*components.NODE)
        _apply(addons.manifests(), *(path.read_text() for path in resource_types.files()))
        waits.wait("the node to be ready", addons.node_is_ready, "kubelet")
    with step("policies, names, volumes, metrics"):
        _start(components.POLICIES)
        waits.wait("NetworkPolicies to be enforced", network.enforces_policies, components.POLICIES)
        waits.wait("CoreDNS to answer", addons.dns_answers, "kubelet")
        waits.wait("the volume provisioner to run", addons.volumes_are_ready, "kubelet")
        waits.wait("the metrics API to answer", addons.metrics_are_ready, "kubelet")
    say("the cluster is ready")


def down() -> None:
    """Stop every process of the cluster and remove its mounts, network and files; images are kept.

    Raises:
        LabError: naming what could not be removed.
    """
    second.down()
    with step("end the cluster's processes"):
        processes.stop(components.SIMULATOR)
        for name in reversed((*components.NODE, components.POLICIES)):
            processes.stop(name)
        runtime.remove_containers()
        for name in (components.API_SERVER, *reversed(components.RUNTIME)):
            processes.stop(name)
        remains.kill_pods(layout.FIRST)
        runtime.kill_shims()
    with step("remove its mounts, network and files"):
        remains.unmount()
        network.down()
        waits.wait_while(lambda: bool(remains.mounts() or remains.cgroups(layout.FIRST)), _remove_remains)
        remains.delete_files()
    if left := [*remains.mounts(), *map(str, remains.cgroups(layout.FIRST)), *network.leftovers()]:
        lines = "".join(f"\n  {line}" for line in left)
        raise LabError(f"the cluster left behind:{lines}\nRun the same command again; a reboot removes all.")


def status() -> list[tuple[str, str]]:
    """Each process with its process id, or a dash when it does not run."""
    names = (*components.NAMES, *second.NAMES, components.SIMULATOR)
    return [(name, str(processes.pid(name) or "-")) for name in names]


def import_images(references: Sequence[str]) -> None:
    """Copy from the Docker Engine the images that the cluster lacks or has with another id.

    Raises:
        LabError: when one cannot be copied.
    """
    for reference, image_id in runtime.outdated(engine.ensure(), references).items():
        with step(f"copy image {reference}"):
            runtime.import_image(reference, image_id)


def is_up() -> bool:
    """True when all processes run and the node is ready."""
    return all(processes.is_running(name) for name in components.NAMES) and addons.node_is_ready()


def _require() -> None:
    if os.geteuid() != 0:
        raise LabError("a Kubernetes node needs root: bridges, mounts and control groups. Run as root.")
    for name in (*components.NAMES, "kubectl"):
        if name != "containerd":
            cache.binary(name)
    if not debian.has_unpacked(debian.CNI_PLUGINS):
        raise LabError("the CNI plugins are not in the lab's cache. Run: python -m tests.lab prepare")
    for tool in ("containerd", "ctr", "runc", "ip", "iptables", "ipset"):
        if shutil.which(tool) is None:
            raise LabError(f"{tool} is not installed. Run: python -m tests.lab prepare")


def _api_is_ready() -> bool:
    return kubectl.succeeds("get", "--raw", "/readyz")


def _start(*names: str) -> None:
    for name in names:
        processes.start(name, components.command(name))


def _apply(*manifests: str) -> None:
    """Give the API server all of it, unless it already has exactly this."""
    text = "\n---\n".join(manifests)
    digest, marker = hashlib.sha256(text.encode()).hexdigest(), layout.state_root() / "applied"
    if not marker.is_file() or marker.read_text() != digest:
        kubectl.apply(text)
        marker.write_text(digest)


def _remove_remains() -> None:
    remains.kill_pods(layout.FIRST)
    remains.unmount()
    remains.remove_cgroups(layout.FIRST)


def images(phase: int = 0) -> list[str]:
    """Images that pods may use, up to a phase; all of them when it is 0."""
    last = max(image.phase for image in (*image_table.STACK_IMAGES, *image_table.LAB_IMAGES))
    return [image.reference for image in image_table.of_phases(phase or last)]


def _boot_marker() -> Path:
    return layout.home() / "boot"


def _is_of_an_earlier_boot() -> bool:
    marker = _boot_marker()
    return marker.is_file() and marker.read_text() != _BOOT_ID.read_text()


def lock() -> AbstractContextManager[None]:
    """Lock the cluster for one command; others wait."""
    return store.lock(lambda: say("another command is using the cluster; waiting for it"), "cluster-")
