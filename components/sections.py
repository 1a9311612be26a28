"""The sections of the stack configuration: names, types, defaults.

Field names are the configuration keys in snake case; ``Pulumi.<stack>.yaml`` writes them in camel case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass as plain_dataclass
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from components.quantities import DAY, Duration, Size, days

STRICT = ConfigDict(extra="forbid", alias_generator=to_camel, strict=True, validate_by_name=True)


@plain_dataclass(frozen=True)
class Text:
    """Text of a certain form, and that form in words for whoever wrote something else."""

    pattern: str
    meaning: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept only text of this form."""
        return core_schema.no_info_after_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the form for editors."""
        return {"type": "string", "pattern": f"^({self.pattern})$"}

    def _validate(self, value: str) -> str:
        if re.fullmatch(self.pattern, value) is None:
            raise ValueError(f"write {self.meaning}")
        return value


_OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"

Address = Annotated[str, Text(rf"({_OCTET}\.){{3}}{_OCTET}", "an IPv4 address, such as 127.0.0.1")]
TcpPort = Annotated[int, Field(ge=1, le=65535)]
Cpus = Annotated[float, Field(gt=0, le=256)]
Phase = Annotated[int, Field(ge=1, le=4)]
Count = Annotated[int, Field(ge=1)]
Program = Literal[
    "collector",
    "jaeger",
    "prometheus",
    "loki",
    "grafana",
    "kafka",
    "haproxy",
    "tempo",
    "mimir",
    "postgres",
    "aws-cli",
]
EnvironmentName = Annotated[
    str,
    Text(
        r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?",
        "a lower-case letter, then up to 30 letters, digits or hyphens, no hyphen at the end",
    ),
]
ImageReference = Annotated[
    str,
    Text(
        r"[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?:(?!latest(@|$))[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?",
        "repository:tag or repository:tag@sha256:<64 hex digits>, with a fixed tag",
    ),
]
HOST = "[A-Za-z0-9][A-Za-z0-9.-]*"
PORT = r"([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
RegistryHost = Annotated[
    str,
    Text(rf"{HOST}(:{PORT})?(/[a-z0-9._/-]+)?", "host[:port][/path], without scheme, the port up to 65535"),
]
HostPort = Annotated[str, Text(f"{HOST}:{PORT}", "host:port, the port up to 65535")]
HostName = Annotated[str, Text(HOST, "a host name or address, without port")]
Origin = Annotated[
    str, Text(r"\*|https?://[^\s/]+", "an origin without path, such as https://shop.example.com")
]
Certificates = Annotated[
    str,
    Text(
        r"(\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----)+\s*",
        "certificates in PEM, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----",
    ),
]
DockerHost = Annotated[str, Text(r"unix:///\S+|ssh://\S+", "unix:///path/to/docker.sock or ssh://user@host")]
Login = Annotated[str, Text(r"[A-Za-z0-9._@-]{1,64}", "1 to 64 letters, digits or . _ @ -")]
KafkaVersion = Annotated[str, Text(r"\d+\.\d+\.\d+", "a version of Kafka, such as 4.2.0")]
Url = Annotated[
    str,
    Text(
        rf"https?://{HOST}(:{PORT})?([/?#]\S*)?",
        "http:// or https://, then host[:port][/path], without user and password",
    ),
]
BaseUrl = Annotated[
    str,
    Text(
        rf"https?://{HOST}(:{PORT})?(/[^\s?#]*)?",
        "http:// or https://, then host[:port][/path], without user, password and query",
    ),
]
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LimitSizing:
    """Limits of one program that override the sizing's.

    Attributes:
        memory: hard limit.
        cpus: hard limit, in cores.
    """

    memory: Size | None = None
    cpus: Cpus | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ProgramSizing(LimitSizing):
    """The same for a program that keeps data.

    Attributes:
        volume: disk budget of its data volume.
    """

    volume: Size | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TierSizing(LimitSizing):
    """Limits of one replica of a tier, which keeps no data, and how many there are.

    Attributes:
        replicas: number of replicas; at least 2, so that one may fail.
    """

    replicas: Annotated[int, Field(ge=2, le=16)] | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SizingSection:
    """How much the stack carries: a preset or a declared rate.

    Attributes:
        preset: small (1,000 events/s), medium (10,000) or large (50,000); small by default.
        events_per_second: sustained rate of spans, samples and log records together.
        allow_above_ceiling: turn the refusal of a rate above the phase's ceiling into a warning.
        collector: overrides for the collector.
        jaeger: overrides for Jaeger.
        prometheus: overrides for Prometheus.
        loki: overrides for Loki.
        grafana: overrides for Grafana.
        gateway: overrides for the gateway collectors, from phase 2 on.
        processor: overrides for the processor collectors, from phase 2 on.
        kafka: overrides for each Kafka broker, from phase 2 on.
        haproxy: overrides for the load balancer of phase 2 and the query gateway of phase 4.
    """

    preset: Literal["small", "medium", "large"] | None = None
    events_per_second: Count | None = None
    allow_above_ceiling: bool = False
    collector: ProgramSizing = field(default_factory=ProgramSizing)
    jaeger: ProgramSizing = field(default_factory=ProgramSizing)
    prometheus: ProgramSizing = field(default_factory=ProgramSizing)
    loki: ProgramSizing = field(default_factory=ProgramSizing)
    grafana: ProgramSizing = field(default_factory=ProgramSizing)
    gateway: TierSizing = field(default_factory=TierSizing)
    processor: TierSizing = field(default_factory=TierSizing)
    kafka: ProgramSizing = field(default_factory=ProgramSizing)
    haproxy: LimitSizing = field(default_factory=LimitSizing)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RetentionSection:
    """How long each signal is kept.

    Attributes:
        traces: age at which Jaeger expires a trace; phase 4: Tempo, in whole hours.
        metrics: age at which Prometheus drops a block; phase 4: Mimir, in whole hours.
        metrics_size: disk at which Prometheus drops its oldest blocks even before that age; 40GB, or what
            the declared rate needs if that is more.
        metrics_out_of_order: how late a sample may arrive, which bounds the outage of Prometheus or the
            collector after which queued metrics can still be stored.
        logs: age at which Loki deletes log records; phase 4: in whole hours, at least 24.
    """

    traces: Duration = days(30)
    metrics: Duration = days(30)
    metrics_size: Size | None = None
    metrics_out_of_order: Duration = DAY
    logs: Duration = days(31)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class QuerySection:
    """Where the stores' own query interfaces are published on the host.

    Attributes:
        bind_address: address of the host; the stores require no password.
        jaeger_port: Jaeger's UI and query API.
        prometheus_port: Prometheus's UI and query API.
        loki_port: Loki's query API.
        haproxy_port: the load balancer's statistics and metrics, from phase 2 on.
    """

    bind_address: Address = LOOPBACK
    jaeger_port: TcpPort = 16686
    prometheus_port: TcpPort = 9090
    loki_port: TcpPort = 3100
    haproxy_port: TcpPort = 8404


@dataclass(frozen=True, kw_only=True, config=STRICT)
class KafkaSecurity:
    """How to reach an external Kafka. The password is a separate secret: ``kafkaPassword``.

    Attributes:
        tls: encrypt, and verify the brokers' certificates.
        ca: PEM certificates of the CA that signs the brokers' own, unless it is a public one.
        mechanism: SASL mechanism; none by default.
        username: SASL user.
    """

    tls: bool = True
    ca: Certificates | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: Annotated[str, Field(min_length=1)] | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CopyTarget:
    """Another stack that gets a copy of all the gateways acknowledge, while applications move to it.

    Attributes:
        endpoint: ``host:port`` of its OTLP/gRPC endpoint.
        tls: encrypt, and verify its certificate.
        ca: PEM certificates of the CA that signs it, unless it is a public one.
    """

    endpoint: HostPort
    tls: bool = True
    ca: Certificates | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class KafkaSection:
    """The buffer between gateways and processors, from phase 2 on.

    Attributes:
        mode: ``builtin`` runs the stack's own brokers; ``external`` uses existing ones (MSK, Confluent,
            Redpanda); ``strimzi`` has the cluster's Strimzi operator run them, from phase 3 on.
        version: Kafka version for ``strimzi``, one that the operator knows; by default the operator's own,
            which changes with the operator.
        brokers: number of the stack's own brokers, 1 or 3; 1 for the small preset, 3 above it.
        partitions: partitions of each topic; 6 up to 10,000 events/s, above that twice the processors,
            rounded up to a multiple of 12 (12 up to 250,000). The traces topic's cannot be changed on a
            running stack.
        retention: age at which a record is deleted, read or not: the longest outage of a store.
        retention_size: size at which a partition's oldest records are deleted even before that; 10GiB, or
            what the declared rate needs for ``retention`` if that is more.
        bootstrap_servers: ``host:port`` of existing brokers.
        security: how to reach them.
        create_topics: create and configure the topics; false if somebody else does, for ``external`` only.
        min_in_sync_replicas: copies that must have a record before it is acknowledged, for the topics of an
            ``external`` Kafka only; by default as its brokers and topics are configured.
        copy_to: another stack that gets everything as well; none by default.
    """

    mode: Literal["builtin", "external", "strimzi"] = "builtin"
    version: KafkaVersion | None = None
    brokers: Literal[1, 3] | None = None
    partitions: Annotated[int, Field(ge=1, le=1000)] | None = None
    retention: Duration = DAY
    retention_size: Size | None = None
    bootstrap_servers: tuple[HostPort, ...] = ()
    security: KafkaSecurity = field(default_factory=KafkaSecurity)
    create_topics: bool = True
    min_in_sync_replicas: Count | None = None
    copy_to: CopyTarget | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SamplingSection:
    """Which traces the processors keep, from phase 2 on.

    Attributes:
        mode: ``tail`` decides on whole traces, in memory; ``head`` keeps a share by trace id and ``none``
            keeps all, both without losing anything when a processor dies.
        keep_percent: share of traces kept by ``head``, and by ``tail`` of those neither failed nor slow.
        slower_than: ``tail`` keeps every trace that lasted longer.
        decision_wait: how long ``tail`` waits for the spans of a trace.
        max_traces: undecided traces that one processor holds; by default what the declared rate needs, at
            least 100,000. When full, it stops reading rather than discard one.
    """

    mode: Literal["tail", "head", "none"] = "tail"
    keep_percent: Annotated[float, Field(gt=0, le=100)] = 10
    slower_than: Duration = Duration(1)
    decision_wait: Duration = Duration(10)
    max_traces: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImagesSection:
    """Where images come from.

    Attributes:
        registry: host of a mirror that holds all images under their usual paths.
        overrides: full image reference for individual programs.
    """

    registry: RegistryHost | None = None
    overrides: dict[Program, ImageReference] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DockerSection:
    """The Docker Engine of phases 1 and 2.

    Attributes:
        host: ``unix://`` socket or ``ssh://`` address; by default the local socket.
        advertised_host: name by which others reach the published ports, for the outputs; by default the
            bind addresses.
    """

    host: DockerHost = "unix:///var/run/docker.sock"
    advertised_host: HostName | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GrafanaSection:
    """Grafana's address and administrator, whose password is generated per stack.

    Attributes:
        bind_address: address of the host on which Grafana is published, in phases 1 and 2.
        port: published port, likewise.
        admin_user: login of the administrator.
        root_url: address people type, if not the published one (behind a proxy).
    """

    bind_address: Address = LOOPBACK
    port: TcpPort = 3000
    admin_user: Login = "admin"
    root_url: Url | None = None
