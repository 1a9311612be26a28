"""Where the cluster keeps its files, and the addresses at which it is reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.lab import store

CONTEXT = "otel-stack-lab"
NODE = "otel-lab-1"
BRIDGE = "otel-lab"
DOMAIN = "cluster.local"

NODE_ADDRESS = "10.244.0.1"
"""The bridge's own address: pods reach it, and no other machine does."""
POD_NETWORK = "10.244.0.0/24"
CLUSTER_NETWORK = "10.244.0.0/16"
"""Pods of the real node and of simulated ones, a /24 each."""
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
API_PORT = 6443
ETCD_PORT = 12379
ETCD_PEER_PORT = 12380

RUN = Path("/run/otel-stack-lab")
"""Sockets and containerd's mounts."""
CGROUP = "otel-stack-lab"
TAINT = "otel-stack.io/second-node"
"""Only pods that tolerate it land on the second node."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node whose pods really run on this machine.

    Attributes:
        name: in Kubernetes.
        address: its own, that of its bridge.
        pod_network: addresses of its pods.
        zone: the zone that its label names.
        suffix: ending of the names of its processes and files.
        network_namespace: where its processes run; empty for this machine's own.
    """

    name: str
    address: str
    pod_network: str
    zone: str
    suffix: str = ""
    network_namespace: str = ""

    @property
    def run(self) -> Path:
        """Folder of its containerd's sockets and mounts; a path in the cache may be too long for a socket."""
        return RUN / f"containerd{self.suffix}"

    @property
    def socket(self) -> Path:
        """Its containerd's socket."""
        return RUN / f"containerd{self.suffix}.sock"

    @property
    def cgroup(self) -> str:
        """Control group of its pods."""
        return f"{CGROUP}{self.suffix}"

    def state(self, name: str) -> Path:
        """A folder of its own, which ``down`` removes."""
        return state(f"{name}{self.suffix}")


FIRST = Node(name=NODE, address=NODE_ADDRESS, pod_network=POD_NETWORK, zone="zone-1")
SECOND = Node(
    name="otel-lab-2",
    address="10.244.255.1",
    pod_network="10.244.255.0/24",
    zone="zone-2",
    suffix="-2",
    network_namespace="otel-lab-2",
)
"""Its pods have the last /24 of the cluster's, which no simulated node reaches."""


def home() -> Path:
    """Everything that the cluster has in the cache."""
    return store.folder("cluster")


def kubeconfig() -> Path:
    """The administrator's kubeconfig, with mode 0600; its context is ``otel-stack-lab``."""
    return home() / "kubeconfig"


def state(name: str) -> Path:
    """A folder of the running cluster; ``down`` removes all of them."""
    path = state_root() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def state_root() -> Path:
    """The folder of everything that ``down`` removes."""
    return home() / "state"


def image_store(node: Node = FIRST) -> Path:
    """containerd's images, which outlive the cluster so that the next one starts sooner."""
    return home() / f"containerd{node.suffix}"


def log(process: str) -> Path:
    """The log of one process."""
    return store.log_file(f"cluster-{process}")
