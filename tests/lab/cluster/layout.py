"""Where the cluster keeps its files, and the addresses at which it is reached."""

from __future__ import annotations

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
"""Sockets and containerd's mounts; a path in the cache may be too long for a socket."""
CONTAINERD_SOCKET = RUN / "containerd.sock"
CGROUP = "otel-stack-lab"


def home() -> Path:
    """Everything of the cluster in the cache."""
    return store.folder("cluster")


def kubeconfig() -> Path:
    """The administrator's kubeconfig, with mode 0600; its context is ``otel-stack-lab``."""
    return home() / "kubeconfig"


def state(name: str) -> Path:
    """A folder of the running cluster; all of them go with ``down``."""
    path = state_root() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def state_root() -> Path:
    """The folder of everything that goes with ``down``."""
    return home() / "state"


def image_store() -> Path:
    """containerd's images, which outlive the cluster so that the next one starts sooner."""
    return home() / "containerd"


def log(process: str) -> Path:
    """The log of one process."""
    return store.log_file(f"cluster-{process}")
