"""The programs of a Kubernetes node, from phase 3 on."""

from __future__ import annotations

from pathlib import Path

from tests.lab.goprogram import GoProgram

KUBERNETES_VERSION = "1.34.3"
_COMMANDS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)

_MODULES = {
    "k8s.io/kubernetes": f"v{KUBERNETES_VERSION}",
    "sigs.k8s.io/metrics-server": "v0.8.0",
    "github.com/rancher/local-path-provisioner": "v0.0.30",
    "github.com/cloudnativelabs/kube-router/v2": "v2.1.0",
}
"""Most of each is Kubernetes' libraries: together they take the same versions, which are compiled once."""
_TREE_VERSION = "v0.34.3"


KUBERNETES = GoProgram(
    name="kubernetes",
    version=KUBERNETES_VERSION,
    module="k8s.io/kubernetes",
    module_version=_MODULES["k8s.io/kubernetes"],
    alongside=_MODULES,
    binaries={command: f"k8s.io/kubernetes/cmd/{command}" for command in _COMMANDS},
    phase=3,
    strings={
        f"{package}.{name}": value
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for name, value in {
            "gitVersion": f"v{KUBERNETES_VERSION}",
            "gitMajor": "1",
            "gitMinor": "34",
            "gitTreeState": "clean",
        }.items()
    },
    tree_version=_TREE_VERSION,
    disk_gb=0.5,
    scratch_gb=4.0,
)
ETCD = GoProgram(
    name="etcd",
    version="3.6.5",
    module="go.etcd.io/etcd/server/v3",
    module_version="v3.6.5",
    binaries={"etcd": "go.etcd.io/etcd/server/v3"},
    phase=3,
    disk_gb=0.03,
    scratch_gb=0.4,
)
COREDNS = GoProgram(
    name="coredns",
    version="1.15.0",
    module="github.com/coredns/coredns",
    module_version="v1.15.0",
    binaries={"coredns": "."},
    phase=3,
    source=Path(__file__).parent / "coredns",
    disk_gb=0.1,
    scratch_gb=0.8,
)
METRICS_SERVER = GoProgram(
    name="metrics-server",
    version="0.8.0",
    module="sigs.k8s.io/metrics-server",
    module_version=_MODULES["sigs.k8s.io/metrics-server"],
    alongside=_MODULES,
    tree_version=_TREE_VERSION,
    binaries={"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
    phase=3,
    strings={"k8s.io/client-go/pkg/version.gitVersion": "v0.8.0"},
    disk_gb=0.15,
    scratch_gb=1.5,
)
LOCAL_PATH_PROVISIONER = GoProgram(
    name="local-path-provisioner",
    version="0.0.30",
    module="github.com/rancher/local-path-provisioner",
    module_version=_MODULES["github.com/rancher/local-path-provisioner"],
    alongside=_MODULES,
    tree_version=_TREE_VERSION,
    binaries={"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
    phase=3,
    strings={"main.VERSION": "v0.0.30"},
    disk_gb=0.1,
    scratch_gb=1.0,
)
KUBE_ROUTER = GoProgram(
    name="kube-router",
    version="2.1.0",
    module="github.com/cloudnativelabs/kube-router/v2",
    module_version=_MODULES["github.com/cloudnativelabs/kube-router/v2"],
    alongside=_MODULES,
    tree_version=_TREE_VERSION,
    binaries={"kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"},
    phase=3,
    strings={"github.com/cloudnativelabs/kube-router/v2/pkg/version.Version": "v2.1.0"},
    disk_gb=0.06,
    scratch_gb=1.2,
)
"""Only its firewall runs. The SIG's own kube-network-policies needs ``nft_queue``, which kernels may lack."""
KWOK = GoProgram(
    name="kwok",
    version="0.7.0",
    module="sigs.k8s.io/kwok",
    module_version="v0.7.0",
    binaries={"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
    phase=3,
    strings={"sigs.k8s.io/kwok/pkg/consts.Version": "v0.7.0"},
    disk_gb=0.08,
    scratch_gb=1.0,
)
"""Not among the parts of a phase: built when somebody wants simulated nodes, as only drills do."""
KUBECONFORM = GoProgram(
    name="kubeconform",
    version="0.7.0",
    module="github.com/yannh/kubeconform",
    module_version="v0.7.0",
    binaries={"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"},
    phase=3,
    disk_gb=0.01,
    scratch_gb=0.1,
)

CLUSTER_PROGRAMS: tuple[GoProgram, ...] = (
    ETCD,
    KUBERNETES,
    COREDNS,
    METRICS_SERVER,
    LOCAL_PATH_PROVISIONER,
    KUBE_ROUTER,
    KUBECONFORM,
)
