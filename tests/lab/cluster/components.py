"""The command line of each process of the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.lab import cache
from tests.lab.cluster import capacity, configs, layout, pki

RUNTIME = ("containerd", "etcd")
API_SERVER = "kube-apiserver"
NODE = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
"""Those that need the API server."""
POLICIES = "kube-router"
"""It needs its node and the right to read it, and exits without them."""
NAMES = (*RUNTIME, API_SERVER, *NODE, POLICIES)
OF_A_NODE = ("containerd", "kubelet", "kube-proxy", POLICIES)
SIMULATOR = "kwok"


def command(name: str) -> Sequence[str | Path]:
    """How a process of the control plane or of the first node is started."""
    if name in OF_A_NODE:
        return node_command(name, layout.FIRST)
    return {
        "etcd": _etcd,
        API_SERVER: _api_server,
        "kube-controller-manager": _controller_manager,
        "kube-scheduler": _scheduler,
    }[name]()


def node_command(name: str, node: layout.Node) -> Sequence[str | Path]:
    """How a process that each node has is started, in the node's network."""
    own = {
        "containerd": _containerd,
        "kubelet": _kubelet,
        "kube-proxy": _kube_proxy,
        POLICIES: _kube_router,
    }[name](node)
    if not node.network_namespace:
        return own
    return ["nsenter", f"--net=/run/netns/{node.network_namespace}", "--", *own]


def _containerd(node: layout.Node) -> list[str | Path]:
    return ["containerd", "--config", configs.path(f"containerd{node.suffix}.toml")]


def _etcd() -> list[str | Path]:
    """Without syncing to disk: the cluster's state is lost with the machine anyway."""
    client, peer = (f"https://127.0.0.1:{port}" for port in (layout.ETCD_PORT, layout.ETCD_PEER_PORT))
    return [
        cache.binary("etcd"),
        f"--data-dir={layout.state('etcd')}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        *(f"--{kind}cert-file={pki.certificate('etcd')}" for kind in ("", "peer-")),
        *(f"--{kind}key-file={pki.key('etcd')}" for kind in ("", "peer-")),
        *(f"--{kind}trusted-ca-file={pki.certificate(pki.AUTHORITY)}" for kind in ("", "peer-")),
        *(f"--{kind}client-cert-auth=true" for kind in ("", "peer-")),
        "--unsafe-no-fsync=true",
        "--log-level=warn",
    ]


def _api_server() -> list[str | Path]:
    authority, accounts = pki.certificate(pki.AUTHORITY), pki.SERVICE_ACCOUNTS
    own, own_key = pki.certificate(API_SERVER), pki.key(API_SERVER)
    return [
        cache.binary(API_SERVER),
        f"--bind-address={layout.NODE_ADDRESS}",
        f"--advertise-address={layout.NODE_ADDRESS}",
        f"--secure-port={layout.API_PORT}",
        f"--service-cluster-ip-range={layout.SERVICE_NETWORK}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--anonymous-auth=false",
        f"--client-ca-file={authority}",
        f"--tls-cert-file={own}",
        f"--tls-private-key-file={own_key}",
        f"--etcd-servers=https://127.0.0.1:{layout.ETCD_PORT}",
        f"--etcd-cafile={authority}",
        f"--etcd-certfile={own}",
        f"--etcd-keyfile={own_key}",
        f"--kubelet-client-certificate={own}",
        f"--kubelet-client-key={own_key}",
        f"--kubelet-certificate-authority={authority}",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        f"--service-account-issuer=https://kubernetes.default.svc.{layout.DOMAIN}",
        f"--service-account-key-file={pki.public_key(accounts)}",
        f"--service-account-signing-key-file={pki.key(accounts)}",
        f"--requestheader-client-ca-file={authority}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki.certificate('front-proxy')}",
        f"--proxy-client-key-file={pki.key('front-proxy')}",
        "--enable-aggregator-routing=true",
    ]


def _controller_manager() -> list[str | Path]:
    """Autoscalers look every 5 s, not every 15: how far they scale is in their rules, not in that."""
    return [
        *_client("kube-controller-manager"),
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={layout.CLUSTER_NETWORK}",
        f"--service-cluster-ip-range={layout.SERVICE_NETWORK}",
        f"--root-ca-file={pki.certificate(pki.AUTHORITY)}",
        f"--service-account-private-key-file={pki.key(pki.SERVICE_ACCOUNTS)}",
        "--horizontal-pod-autoscaler-sync-period=5s",
    ]


def _scheduler() -> list[str | Path]:
    return [*_client("kube-scheduler"), "--bind-address=127.0.0.1", "--leader-elect=false"]


def _kubelet(node: layout.Node) -> list[str | Path]:
    name = f"kubelet{node.suffix}"
    return capacity.seeing_more(
        [
            cache.binary("kubelet"),
            f"--kubeconfig={configs.path(f'{name}.kubeconfig')}",
            f"--config={configs.path(f'{name}.yaml')}",
            f"--root-dir={node.state('kubelet')}",
            f"--hostname-override={node.name}",
            f"--node-ip={node.address}",
            f"--node-labels=topology.kubernetes.io/region=lab,topology.kubernetes.io/zone={node.zone}",
            *_taint(node),
        ],
        node.state("kubelet"),
    )


def _taint(node: layout.Node) -> list[str | Path]:
    """Keep off every node but the first all pods that do not ask for it."""
    return [] if node == layout.FIRST else [f"--register-with-taints={layout.TAINT}:NoSchedule"]


def _kube_proxy(node: layout.Node) -> list[str | Path]:
    return [cache.binary("kube-proxy"), f"--config={configs.path(f'kube-proxy{node.suffix}.yaml')}"]


def _kube_router(node: layout.Node) -> list[str | Path]:
    """Only its firewall, which enforces NetworkPolicies; it listens nowhere."""
    return [
        *_client(POLICIES),
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        f"--hostname-override={node.name}",
        f"--service-cluster-ip-range={layout.SERVICE_NETWORK}",
        "--health-port=0",
        "--metrics-port=0",
    ]


def _client(name: str) -> list[str | Path]:
    return [cache.binary(name), f"--kubeconfig={configs.path(f'{name}.kubeconfig')}"]
