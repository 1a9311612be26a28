"""The sections of the stack configuration for Kubernetes: where it runs, how it is reached, how it scales."""

from __future__ import annotations

from dataclasses import field
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from components.sections.forms import HOST, PORT, STRICT, HostName, TcpPort, Text
from components.values.quantities import Duration

_SEGMENT = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"

ObjectName = Annotated[
    str,
    Text(
        rf"(?=.{{1,253}}$){_SEGMENT}(\.{_SEGMENT})*", "a Kubernetes name: lower-case letters, digits, hyphens"
    ),
]
NamespaceName = Annotated[
    str,
    Text(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "a namespace: up to 63 lower-case letters, digits, hyphens"),
]
ClassName = Annotated[
    str,
    Text(
        rf"({_SEGMENT}(\.{_SEGMENT})*/)?{_SEGMENT}(\.{_SEGMENT})*",
        "a class, such as nginx or service.k8s.aws/nlb",
    ),
]
LabelKey = Annotated[
    str, Text(rf"({_SEGMENT}(\.{_SEGMENT})*/)?{_LABEL}", "a label's key, such as example.com/team")
]
LabelValue = Annotated[str, Text(rf"({_LABEL})?", "a label's value: up to 63 letters, digits, - _ .")]


def _network(value: str) -> str:
    """Accept a network as load balancers do: no bare address, and none with host bits set."""
    try:
        network = str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError("write a network, such as 192.0.2.0/24 or 2001:db8::/32") from None
    if value != network:
        raise ValueError(f"write {network}, the network that contains this, or another one")
    return value


Network = Annotated[str, AfterValidator(_network)]
GitAddress = Annotated[
    str,
    Text(
        rf"https?://{HOST}(:{PORT})?/\S+"
        rf"|ssh://[^\s/:@]+@[A-Za-z0-9.-]+(:{PORT})?/\S+|[^\s/:@]+@[A-Za-z0-9.-]+:\S+",
        "https://host/org/repo.git, ssh://git@host/org/repo.git or git@host:org/repo.git",
    ),
]
Path = Annotated[str, Text(r"\S(.*\S)?", "the path of a file or folder")]
Share = Annotated[int, Field(ge=10, le=90)]
"""Of a limit, in percent: the autoscaler ignores up to a tenth more, and nothing uses more than its limit."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Toleration:
    """A node taint that the stack's pods tolerate.

    Attributes:
        key: the taint's key; every key by default.
        operator: ``Equal`` where a value is given, otherwise ``Exists``.
        value: the taint's value.
        effect: the taint's effect; every effect by default.
    """

    key: LabelKey | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ExposureSection:
    """How OTLP and Grafana are reached. The stores' own interfaces stay inside the cluster.

    Attributes:
        type: ``ClusterIP`` inside the cluster only; ``LoadBalancer`` one of the cloud's load balancers each;
            ``Ingress``; ``GatewayAPI`` routes of an existing Gateway.
        otlp_grpc_host: name for OTLP over gRPC; needed by all but ``ClusterIP``.
        otlp_http_host: name for OTLP over HTTP; needed by all but ``ClusterIP``.
        grafana_host: name for Grafana; without it Grafana stays inside the cluster.
        tls_secret: Secret of type ``kubernetes.io/tls`` for these names, for ``Ingress``.
        tls: whether clients encrypt; by default ``GatewayAPI``, and ``Ingress`` with a Secret. Set it where
            something else holds the certificates, such as a load balancer with an annotation.
        class_name: class of the Ingresses, or of the load balancers.
        gateway: name of the Gateway, for ``GatewayAPI``; its listeners hold the certificates.
        gateway_namespace: namespace of the Gateway; the stack's own by default.
        gateway_listener: name of the one listener of the Gateway that serves the stack; by default all of
            them do, including those without TLS.
        source_ranges: networks whose addresses may use the load balancers; all by default.
        stop_delay: how long a pod that is to stop still takes connections, until whatever spreads them has
            learned of it; by default 30 seconds where something outside the cluster is told, else 5.
        annotations: annotations of Services of type LoadBalancer, of Ingresses, or of routes.
        grpc_annotations: further ones for the Ingress or route of OTLP over gRPC alone, and for the Service
            behind that Ingress, such as ``traefik.ingress.kubernetes.io/service.serversscheme: h2c``.
    """

    type: Literal["ClusterIP", "LoadBalancer", "Ingress", "GatewayAPI"] = "ClusterIP"
    otlp_grpc_host: HostName | None = None
    otlp_http_host: HostName | None = None
    grafana_host: HostName | None = None
    tls_secret: ObjectName | None = None
    tls: bool | None = None
    class_name: ClassName | None = None
    gateway: ObjectName | None = None
    gateway_namespace: NamespaceName | None = None
    gateway_listener: ObjectName | None = None
    source_ranges: tuple[Network, ...] = ()
    stop_delay: Duration | None = None
    annotations: dict[LabelKey, str] = field(default_factory=dict)
    grpc_annotations: dict[LabelKey, str] = field(default_factory=dict)

    @property
    def encrypted(self) -> bool:
        """Whether clients from outside the cluster encrypt."""
        is_known = self.type == "GatewayAPI" or self.tls_secret is not None
        return is_known if self.tls is None else self.tls

    def delay(self, *, outside: bool) -> Duration:
        """How long a pod that is to stop still takes connections, which may come from outside the cluster."""
        return self.stop_delay or Duration(30 if outside else 5)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ExistingSecrets:
    """Secrets in the stack's namespace managed by others (External Secrets, Sealed Secrets, by hand).

    Attributes:
        grafana: keys ``admin-password`` and ``secret-key``; generated by default.
        kafka: key ``password``, the SASL password of an external Kafka.
        kafka_ca: key ``ca.crt``, certificates of the CA that signs an external Kafka's brokers' own.
    """

    grafana: ObjectName | None = None
    kafka: ObjectName | None = None
    kafka_ca: ObjectName | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GitOpsSection:
    """Where the rendered manifests are kept, for the Argo CD Application and the Flux Kustomization.

    Attributes:
        repository: address of the Git repository, over HTTPS or SSH; without it only the manifests are
            written.
        revision: branch.
        path: folder in it; that of ``kubernetes.render`` by default.
        interval: how often Flux checks it.
        secret: Secret in Flux's namespace with its login to a private repository; Argo CD finds its own by
            the address.
        argo_project: Argo CD project that the Application belongs to.
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
        namespace: namespace of the stack, created if missing, and kept on destroy for its volumes.
        storage_class: class of all volumes; the cluster's own default unless set.
        node_selector: labels of the nodes that the pods may run on.
        tolerations: node taints that the pods tolerate.
        spread: ``required`` keeps two replicas of a store or of Kafka off one node; ``zones`` also spreads
            them evenly over the zones, and runs none on a node without a zone; ``preferred`` lets them share
            one where there are fewer nodes.
        priority_class: priority of the pods.
        image_pull_secrets: Secrets in the namespace with logins for image registries.
        labels: additional labels for every object.
        reserved_cpu_percent: share of the CPU limits that pods request; an eighth up to 1,000 events/s, 50
            above, which ``ops plan`` assumes. From 50 on, programs that an autoscaler scales by CPU request
            the share at which it does: with less, a full node would never let them get that busy.
        clients: labels of the namespaces whose pods may send OTLP and open Grafana, including that of the
            Ingress controller or Gateway; all namespaces by default. Not for ``LoadBalancer``, whose
            connections come from no namespace.
        client_networks: networks that may as well: those of nodes, for agents on the host's network, whose
            connections come from no namespace either.
        readers: labels of the namespaces whose pods may query the stores, which require no password; by
            default none, and Grafana is the way to them.
        api_ports: ports of the cluster's API server, to which gateways and Prometheus may connect: its
            Service's, and those behind it.
        egress_ports: additional ports on which programs reach what is not the stack's: those of pods behind
            a Service with a different port, as most network plugins check the connection behind it.
        dns_ports: ports for name lookups: those of the cluster's DNS Service, and those behind it.
        exposure: how OTLP and Grafana are reached.
        monitoring: ``annotations`` for the stack's own Prometheus only; ``prometheus-operator`` adds
            ServiceMonitors and a PrometheusRule for yours.
        monitoring_namespace: namespace of that Prometheus, the only one whose pods may scrape metrics; some
            stores serve them on their query port.
        existing_secrets: secrets managed by others.
        render: write the manifests into this folder, for Git, and touch no cluster.
        gitops: where they are kept in that case.
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
    client_networks: tuple[Network, ...] = ()
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
        maximum: most replicas; three times the sizing's number by default.
        cpu_percent: share of the CPU limit that replicas are kept at; one is added at a tenth more.
    """

    maximum: Annotated[int, Field(ge=2)] | None = None
    cpu_percent: Share = 70


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AutoscalingSection:
    """How gateways and processors follow the load, from phase 3 on.

    Attributes:
        gateway: bounds of the gateways.
        processor: bounds of the processors; never more than the number of partitions.
        lag: ``keda`` scales the processors by what they have still to read; KEDA must be in the cluster.
            By default they scale by CPU.
        lag_threshold: records of lag per processor that justify one more; for traces, on top of those that
            at the declared rate it has read but not yet committed, which still count as lag.
        keda_namespace: namespace of KEDA's operator, which queries Kafka.
    """

    gateway: TierScaling = field(default_factory=TierScaling)
    processor: TierScaling = field(default_factory=TierScaling)
    lag: Literal["keda"] | None = None
    lag_threshold: Annotated[int, Field(ge=1)] = 1000
    keda_namespace: NamespaceName = "keda"
