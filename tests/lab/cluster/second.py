"""A second real node: containerd, kubelet, kube-proxy and kube-router of its own, in a network of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.lab import debian, store
from tests.lab.cluster import (
    addons,
    components,
    configs,
    kubectl,
    layout,
    link,
    processes,
    remains,
    runtime,
    waits,
)
from tests.lab.errors import LabError
from tests.lab.progress import step

_NODE = layout.SECOND
NAMES = tuple(f"{name}{_NODE.suffix}" for name in components.OF_A_NODE)
"""Its processes."""
_BASE_IMAGES = ("pause", "busybox")
"""What each node needs by itself: for sandboxes, and to make volumes."""


def up(images: Sequence[str]) -> None:
    """Start the node, with these images, and wait until it accepts pods that tolerate it.

    Raises:
        LabError: when the cluster is not up, or a step does not succeed in time.
    """
    if not processes.is_running(components.API_SERVER):
        raise LabError("the cluster is not up. Run: python -m tests.lab cluster up")
    with step(f"second node {_NODE.name}"):
        link.up()
        remains.make_cgroup(_NODE)
        configs.write_node(_NODE, debian.cni_plugins())
        _start("containerd")
        waits.wait("its containerd to answer", lambda: runtime.is_ready(_NODE), _name("containerd"))
        if not processes.is_running(_name("kubelet")):
            runtime.remove_containers(_NODE)
        runtime.hand_over([*(addons.IMAGES[name] for name in _BASE_IMAGES), *images], _NODE)
        _start("kubelet")
        _start("kube-proxy")
        waits.wait("the second node to be ready", is_ready, _name("kubelet"))
        _start(components.POLICIES)


def down() -> None:
    """Stop the node, and remove it with all it has made except its copies of images."""
    if not _marker().is_file():
        return
    with step(f"remove {_NODE.name}"):
        processes.stop(_name(components.POLICIES))
        processes.stop(_name("kube-proxy"))
        processes.stop(_name("kubelet"))
        if processes.is_running(components.API_SERVER):
            kubectl.run("delete", "node", _NODE.name, "--ignore-not-found", "--wait=false")
        runtime.remove_containers(_NODE)
        processes.stop(_name("containerd"))
        _end_pods()
        link.down()
        store.remove(_NODE.state("kubelet"))
        _marker().unlink()


def power_off() -> None:
    """End everything on the node at once, as when its machine loses power; the API server still has it."""
    link.down()
    processes.kill([known for name in NAMES if (known := processes.pid(name)) is not None])
    _end_pods()


def kill_kubelet() -> None:
    """Kill its kubelet as a crash would; its pods keep running."""
    if (known := processes.pid(_name("kubelet"))) is not None:
        processes.kill([known])


def is_ready() -> bool:
    """True when the node accepts pods."""
    return addons.node_is_ready(_NODE.name)


def _end_pods() -> None:
    remains.kill_pods(_NODE)
    runtime.kill_shims(_NODE)
    waits.wait_while(lambda: bool(remains.cgroups(_NODE)), _remove_remains)


def _marker() -> Path:
    """A file that exists as long as anything of the node may."""
    return configs.path(f"kubelet{_NODE.suffix}.yaml")


def _start(name: str) -> None:
    processes.start(_name(name), components.node_command(name, _NODE))


def _name(process: str) -> str:
    return f"{process}{_NODE.suffix}"


def _remove_remains() -> None:
    remains.kill_pods(_NODE)
    remains.unmount(_NODE.run, _NODE.state("kubelet"))
    remains.remove_cgroups(_NODE)
