"""Settings of the buffer between gateways and processors."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT, Certificates, Count, HostPort, KafkaVersion
from components.values.quantities import DAY, Duration, Size


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
        metrics_in_order: keep all metrics of one resource in one partition, so that they reach their store in
            the order in which they came: counters with delta temporality need that. A resource with very many
            metrics then loads one partition alone.
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
    metrics_in_order: bool = False
    copy_to: CopyTarget | None = None
