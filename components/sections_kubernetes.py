"""The sections of the stack configuration for Kubernetes: where it runs, how it is reached, how it scales."""

from __future__ import annotations

from dataclasses import field
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from components.sections import STRICT, HostName, TcpPort, Text

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"

ObjectName = Annotated[
    str,
    Text(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "a Kubernetes name: lower-case letters, digits, hyphens"),
]
NamespaceName = Annotated[
    str,
    Text(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "a namespace: up to 63 lower-case letters, digits, hyphens"),
]
ClassName = Annotated[
    str,
    Text(
        r"([a-z0-9.-]{1,253}/)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?",
        "a class, such as nginx or service.k8s.aws/nlb",
    ),
]
LabelKey = Annotated[
    str, Text(rf"([a-z0-9.-]{{1,253}}/)?{_LABEL}", "a label's key, such as example.com/team")
]
LabelValue = Annotated[str, Text(rf"({_LABEL})?", "a label's value: up to 63 letters, digits, - _ .")]


def _network(value: str) -> str:
    """Take a network as load balancers do: neither an address alone, nor one with a prefix behind it."""
    try:
        network = str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError("write a network, such as 192.0.2.0/24 or 2001:db8::/32") from None
    if value != network:
        raise ValueError(f"write {network}, the network that this is in, or another one")
    return value


Network = Annotated[str, AfterValidator(_network)]
GitAddress = Annotated[
    str,
    Text(
        r"https?://\S+|ssh://[^\s/:@]+@[A-Za-z0-9.-]+(:[0-9]{1,5})?/\S+|[^\s/:@]+@[A-Za-z0-9.-]+:\S+",
        "https://host/org/repo.git, ssh://git@host/org/repo.git or git@host:org/repo.git",
    ),
]
Path = Annotated[str, Text(r"\S(.*\S)?", "the path of a file or folder")]
Share = Annotated[int, Field(ge=10, le=100)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Toleration:
    """A taint of nodes that the stack's pods may run on in spite of it.

    Attributes:
        key: the taint's key; every key when nothing is said.
        operator: ``Exists``, or ``Equal`` with a value.
        value: the taint's value.
        effect: the taint's effect; every effect when nothing is said.
    """

    key: LabelKey | None = None
    operator: Literal["Exists", "Equal"] = "Exists"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ExposureSection:
    """How OTLP and Grafana are reached. The stores' own interfaces stay inside the cluster.

    Attributes:
        type: ``ClusterIP`` inside the cluster only; ``LoadBalancer`` a load balancer of the cloud for each;
            ``Ingress``; ``GatewayAPI`` routes of a Gateway that exists.
        otlp_grpc_host: name for OTLP over gRPC; needed by all but ``ClusterIP``.
        otlp_http_host: name for OTLP over HTTP; needed by all but ``ClusterIP``.
        grafana_host: name for Grafana; without it Grafana stays inside.
        tls_secret: Secret of type ``kubernetes.io/tls`` for these names, for ``Ingress``.
        class_name: class of the Ingresses, or of the load balancers.
        gateway: name of the Gateway, for ``GatewayAPI``; its listeners have the certificates.
        gateway_namespace: namespace of the Gateway; the stack's own when nothing is said.
        gateway_listener: name of the one listener of the Gateway that serves the stack; all of them do when
            nothing is said, those without TLS as well.
        source_ranges: networks whose addresses may use the load balancers; all when nothing is said.
        annotations: annotations of Services of type LoadBalancer, of Ingresses, or of routes.
        grpc_annotations: further ones for the Ingress or route of OTLP over gRPC alone, and for the Service
            behind that Ingress, such as ``traefik.ingress.kubernetes.io/service.serversscheme: h2c``.
    """

    type: Literal["ClusterIP", "LoadBalancer", "Ingress", "GatewayAPI"] = "ClusterIP"
    otlp_grpc_host: HostName | None = None
    otlp_http_host: HostName | None = None
    grafana_host: HostName | None = None
    tls_secret: ObjectName | None = None
    class_name: ClassName | None = None
    gateway: ObjectName | None = None
    gateway_namespace: NamespaceName | None = None
    gateway_listener: ObjectName | None = None
    source_ranges: tuple[Network, ...] = ()
    annotations: dict[LabelKey, str] = field(default_factory=dict)
    grpc_annotations: dict[LabelKey, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ExistingSecrets:
    """Secrets in the stack's namespace that somebody else keeps (External Secrets, Sealed Secrets, by hand).

    Attributes:
        grafana: keys ``admin-password`` and ``secret-key``; generated when nothing is said.
        kafka: key ``password``, the SASL password of an external Kafka.
        kafka_ca: key ``ca.crt``, certificates of who signs those of an external Kafka's brokers.
    """

    grafana: ObjectName | None = None
    kafka: ObjectName | None = None
    kafka_ca: ObjectName | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GitOpsSection:
    """Where the rendered manifests are kept, for the Argo CD Application and the Flux Kustomization.

    Attributes:
        repository: address of the Git repository, over HTTPS or SSH.
        revision: branch.
        path: folder in it; that of ``kubernetes.render`` when nothing is said.
        interval: how often Flux looks.
        secret: Secret in Flux's namespace with its login to a private repository; Argo CD finds its own by
            the address.
        argo_project: project of Argo CD that the Application belongs to.
    """

    repository: GitAddress | None = None
    revision: Annotated[str, Field(min_length=1)] = "main"
    path: Path | None = None
    interval: Annotated[str, Text(r"[0-9]+[smh]", "a duration, such as 10m")] = "10m"
    secret: ObjectName | None = None
    argo_project: ObjectName = "default"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class KubernetesSection:
    """The cluster of phases 3 and 4.

    Attributes:
        kubeconfig: file with the cluster's address and login. There is no default: what happens to be in
            the environment is never used.
        context: context in that file.
        namespace: namespace of the stack, made when it is not there, and kept on destroy for its volumes.
        storage_class: class of all volumes; the cluster's default when nothing is said.
        node_selector: labels of the nodes that the pods may run on.
        tolerations: taints of nodes that the pods may run on in spite of them.
        spread: ``required`` keeps two replicas of a store or of Kafka off one node; ``zones`` also keeps them
            evenly over the zones, and runs none on a node that has no zone; ``preferred`` allows one node
            where there are fewer nodes.
        priority_class: priority of the pods.
        image_pull_secrets: Secrets in the namespace with logins of image registries.
        labels: further labels of every object.
        reserved_cpu_percent: share of the CPU limits that pods request; an eighth up to 1,000 events/s, 50
            above, which ``ops plan`` counts with. From 50 on, what an autoscaler scales by CPU requests the
            share at which it does, for with less a full node would keep it from ever being that busy.
        clients: labels of the namespaces whose pods may send OTLP and open Grafana, that of the Ingress
            controller or Gateway among them; all namespaces when nothing is said. Not for ``LoadBalancer``,
            whose connections come from no namespace.
        readers: labels of the namespaces whose pods may query the stores, which ask nobody for a password;
            none when nothing is said, and Grafana is the way to them.
        api_ports: ports of the cluster's API server, to which gateways and Prometheus may connect: of its
            Service, and behind that.
        egress_ports: further ports at which programs reach what is not the stack's: those of pods behind
            Services that have another one, for most network plugins look at a connection after that.
        dns_ports: ports at which names are asked for: of the cluster's DNS Service, and behind that.
        exposure: how OTLP and Grafana are reached.
        monitoring: ``annotations`` for the stack's own Prometheus only; ``prometheus-operator`` adds
            ServiceMonitors and a PrometheusRule for yours.
        monitoring_namespace: namespace of that Prometheus, the only one whose pods may ask for metrics; some
            stores serve them on the port of their queries.
        existing_secrets: secrets that somebody else keeps.
        render: write the manifests into this folder, for Git, and touch no cluster.
        gitops: where they are kept then.
    """

    kubeconfig: Path | None = None
    context: Annotated[str, Field(min_length=1)] | None = None
    namespace: NamespaceName = "observability"
    storage_class: ObjectName | None = None
    node_selector: dict[LabelKey, LabelValue] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    spread: Literal["required", "zones", "preferred"] = "required"
    priority_class: ObjectName | None = None
    image_pull_secrets: tuple[ObjectName, ...] = ()
    labels: dict[LabelKey, LabelValue] = field(default_factory=dict)
    reserved_cpu_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    clients: dict[LabelKey, LabelValue] = field(default_factory=dict)
    readers: dict[LabelKey, LabelValue] = field(default_factory=dict)
    api_ports: tuple[TcpPort, ...] = (443, 6443)
    egress_ports: tuple[TcpPort, ...] = ()
    dns_ports: tuple[TcpPort, ...] = (53,)
    exposure: ExposureSection = field(default_factory=ExposureSection)
    monitoring: Literal["annotations", "prometheus-operator"] = "annotations"
    monitoring_namespace: NamespaceName = "monitoring"
    existing_secrets: ExistingSecrets = field(default_factory=ExistingSecrets)
    render: Path | None = None
    gitops: GitOpsSection = field(default_factory=GitOpsSection)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TierScaling:
    """Bounds of one tier.

    Attributes:
        maximum: most replicas; three times the sizing's number when nothing is said.
        cpu_percent: share of the CPU limit above which one is added.
    """

    maximum: Annotated[int, Field(ge=2, le=100)] | None = None
    cpu_percent: Share = 70


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AutoscalingSection:
    """How gateways and processors follow the load, from phase 3 on.

    Attributes:
        gateway: bounds of the gateways.
        processor: bounds of the processors; never more than there are partitions.
        lag: ``keda`` scales the processors by what they have still to read; KEDA must be in the cluster.
            By CPU when nothing is said.
        lag_threshold: Kafka's records behind, per processor, that are worth one more; of traces over those
            that it has read and not told Kafka of at the declared rate, which still count as behind.
        keda_namespace: namespace of KEDA's operator, which asks Kafka.
    """

    gateway: TierScaling = field(default_factory=TierScaling)
    processor: TierScaling = field(default_factory=TierScaling)
    lag: Literal["keda"] | None = None
    lag_threshold: Annotated[int, Field(ge=1)] = 1000
    keda_namespace: NamespaceName = "keda"
