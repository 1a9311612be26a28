"""One real Kubernetes node: control plane, kubelet and containerd as processes of this machine."""
