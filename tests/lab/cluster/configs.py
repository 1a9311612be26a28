"""Configuration files of the cluster's processes, as data."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import yaml

from tests.lab.cluster import layout, pki

PAUSE_IMAGE = "registry.k8s.io/pause:3.10"


def write_all(cni_plugins: Path) -> None:
    """Write every configuration file; ``cni_plugins`` is the folder of the CNI programs."""
    write_node(layout.FIRST, cni_plugins)
    for name in ("kube-controller-manager", "kube-scheduler", "kube-proxy", "kube-router"):
        pki.write_private(path(f"{name}.kubeconfig"), yaml.safe_dump(kubeconfig(name)).encode())
    pki.write_private(layout.kubeconfig(), yaml.safe_dump(kubeconfig("admin")).encode())


def write_node(node: layout.Node, cni_plugins: Path) -> None:
    """Write the configuration files of the processes that each node has."""
    layout.RUN.mkdir(mode=0o711, parents=True, exist_ok=True)
    of = node.suffix
    path(f"containerd{of}.toml").write_text(containerd(node, cni_plugins))
    (node.state("cni") / "10-otel-lab.conflist").write_text(json.dumps(cni(node), indent=2))
    path(f"kubelet{of}.yaml").write_text(yaml.safe_dump(kubelet(node)))
    path(f"kube-proxy{of}.yaml").write_text(yaml.safe_dump(kube_proxy(node)))
    own = yaml.safe_dump(kubeconfig(f"kubelet{of}"))
    pki.write_private(path(f"kubelet{of}.kubeconfig"), own.encode())


def path(name: str) -> Path:
    """Where a configuration file is."""
    return layout.state("config") / name


def kubeconfig(identity: str) -> dict[str, Any]:
    """How this identity reaches the API server; its certificate and key are inside."""

    def inline(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    cluster = {
        "server": f"https://{layout.NODE_ADDRESS}:{layout.API_PORT}",
        "certificate-authority-data": inline(pki.certificate(pki.AUTHORITY)),
    }
    user = {
        "client-certificate-data": inline(pki.certificate(identity)),
        "client-key-data": inline(pki.key(identity)),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": layout.CONTEXT, "cluster": cluster}],
        "users": [{"name": identity, "user": user}],
        "contexts": [{"name": layout.CONTEXT, "context": {"cluster": layout.CONTEXT, "user": identity}}],
        "current-context": layout.CONTEXT,
    }


def kubelet(node: layout.Node) -> dict[str, Any]:
    """The kubelet: it takes this machine's cgroup version and swap as they are, and never removes images."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki.certificate(pki.AUTHORITY))},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "clusterDNS": [layout.DNS_ADDRESS],
        "clusterDomain": layout.DOMAIN,
        "containerRuntimeEndpoint": f"unix://{node.socket}",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
        "oomScoreAdj": 0,
        "podLogsDir": str(node.state("pod-logs")),
        "tlsCertFile": str(pki.certificate(f"kubelet{node.suffix}")),
        "tlsPrivateKeyFile": str(pki.key(f"kubelet{node.suffix}")),
        "volumePluginDir": str(node.state("volume-plugins")),
    }


def kube_proxy(node: layout.Node) -> dict[str, Any]:
    """kube-proxy with iptables; the kernel's limit on connections stays as it is."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "bindAddress": node.address,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "clientConnection": {"kubeconfig": str(path("kube-proxy.kubeconfig"))},
        "clusterCIDR": layout.CLUSTER_NETWORK,
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "hostnameOverride": node.name,
        "mode": "iptables",
        "nodePortAddresses": ["127.0.0.0/8", f"{node.address}/32"],
        "oomScoreAdj": 0,
    }


def cni(node: layout.Node) -> dict[str, Any]:
    """One bridge for all pods; a pod may reach itself through its Service."""
    bridge = {
        "type": "bridge",
        "bridge": layout.BRIDGE,
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(node.state("addresses")),
            "ranges": [[{"subnet": node.pod_network}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return {"cniVersion": "1.0.0", "name": layout.BRIDGE, "plugins": [bridge]}


def containerd(node: layout.Node, cni_plugins: Path) -> str:
    """A containerd beside Docker's, with mounts where ``down`` finds them.

    Without ``restrict_oom_score_adj`` no sandbox starts where this machine's own processes may not be made
    less likely to be killed.
    """
    return f"""\
version = 2
root = "{layout.image_store(node)}"
state = "{node.run}"

[grpc]
  address = "{node.socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{node.state("opt")}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{cni_plugins}"
  conf_dir = "{node.state("cni")}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
"""
