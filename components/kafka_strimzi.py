"""Kafka run by the cluster's Strimzi operator: the desired state, expressed in its resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi

from components.base import StackComponent
from components.kafka.client import KafkaClient
from components.kafka.topics import topics
from components.kafka_buffer import STOP_GRACE
from components.platform.manifests import placement
from components.platform.manifests.network import scaler_peer
from components.platform.manifests.scope import NAME
from components.sections.kafka import KafkaSection, KafkaSecurity
from components.sections.kubernetes import KubernetesSection
from components.settings.fixed import fix_brokers, fix_partitions
from components.sizing.buffer import BufferSize
from components.values.quantities import Size
from components.values.secret_text import ExistingSecret
from components.workload import Platform

API = "kafka.strimzi.io/v1"
"""For Strimzi 0.49 and later."""

PORT = 9093
CLUSTER = "strimzi.io/cluster"
POOL = "broker"
BROKERS = {"labelSelector": {"matchLabels": {"strimzi.io/pool-name": POOL}}}
USER = "otel-stack"
MECHANISM = "scram-sha-512"
CA_AGE = {"validityDays": 3650, "renewalDays": 365}
"""Ten years, and a year to restart clients in: a collector reads its CA only when it starts. Strimzi's
defaults are 365 and 30 days."""

OPERATOR = {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}
"""Of the topic and the user operator each: a JVM for five topics and one user."""

LEAST_FREE = 0.05
"""Share of a broker's disk below which it accepts no more records: brokers damage their log on a full disk
(docs/reliability.md), and Strimzi's plugin looks only now and then."""


class CustomResources(Platform, Protocol):
    """A platform that accepts an operator's resources."""

    def declare(
        self,
        api_version: str,
        kind: str,
        name: str,
        spec: Mapping[str, Any],
        *,
        parent: pulumi.Resource,
        after: Sequence[pulumi.Resource] = (),
        labels: Mapping[str, str] | None = None,
        awaited: bool = True,
    ) -> pulumi.Resource:
        """Declare a resource that outlives the stack; if ``awaited``, wait until it is reported ready."""

    def allow_all_egress(self, labels: Mapping[str, str], name: str, *, parent: pulumi.Resource) -> None:
        """Let pods that an operator creates and guards itself connect to anything."""


@dataclass(frozen=True, kw_only=True)
class StrimziKafkaArgs:
    """Settings of the buffer.

    Attributes:
        size: brokers, partitions, copies.
        kafka: retention, version.
        largest_message: largest record that the topics accept.
        cluster: namespace of the stack, class of the brokers' volumes, where pods may run.
        clients: workloads of the stack that connect to it.
        scaler: namespace of what reads its lag to scale processors; None if nothing does.
        reserved_cpu: fraction of the brokers' CPU limit that they request, from 0 to 1.
    """

    size: BufferSize
    kafka: KafkaSection
    largest_message: Size
    cluster: KubernetesSection
    reserved_cpu: float
    clients: tuple[str, ...]
    scaler: str | None = None


class StrimziKafka(StackComponent):
    """Brokers, topics and the stack's user as resources of the Strimzi operator.

    They outlive the stack: the operator deletes a topic with its KafkaTopic, and a new Kafka never starts on
    the claims of an old one, since its cluster has another id.

    Attributes:
        client: how to reach it: encrypted, with the password that the operator generates.
    """

    def __init__(self, name: str, args: StrimziKafkaArgs, *, platform: CustomResources) -> None:
        """Declare the cluster, then its topics and user.

        Raises:
            pulumi.RunError: partitions of the traces topic, or brokers, differ from what it was made with.
        """
        super().__init__(name, platform)
        self.client = KafkaClient(
            servers=[f"{name}-kafka-bootstrap.{args.cluster.namespace}.svc:{PORT}"],
            security=KafkaSecurity(mechanism="SCRAM-SHA-512", username=USER),
            password=ExistingSecret(name=USER, key="password"),
            authority=ExistingSecret(name=f"{name}-cluster-ca-cert", key="ca.crt"),
            largest_message=args.largest_message,
        )
        fix_brokers(name, args.size.brokers, parent=self)
        fix_partitions(name, args.size.partitions, parent=self)
        owned = {CLUSTER: name}
        platform.allow_all_egress(owned, f"{name}-strimzi", parent=self)
        # A pool never reports that it is ready, and Strimzi considers it only once its Kafka exists.
        pool = platform.declare(
            API, "KafkaNodePool", POOL, _pool(args), parent=self, labels=owned, awaited=False
        )
        cluster = platform.declare(API, "Kafka", name, _cluster(args), parent=self, after=[pool])
        declared = [
            platform.declare(
                API, "KafkaTopic", topic.name, topic.as_resource(), parent=self, after=[cluster], labels=owned
            )
            for topic in topics(args.size, args.kafka, args.largest_message)
        ]
        user = platform.declare(API, "KafkaUser", USER, _user(), parent=self, after=[cluster], labels=owned)
        self.ready = [*declared, user]
        self.register_outputs({"servers": list(self.client.servers)})


def _pool(args: StrimziKafkaArgs) -> Mapping[str, Any]:
    broker = args.size.broker
    volume: dict[str, Any] = {
        "id": 0,
        "type": "persistent-claim",
        "size": f"{broker.volume.gibibytes_needed}Gi",
        "deleteClaim": False,
        "kraftMetadata": "shared",
    }
    if args.cluster.storage_class is not None:
        volume["class"] = args.cluster.storage_class
    heap = f"{args.size.heap.mebibytes}m"
    memory = f"{broker.memory.mebibytes}Mi"
    return {
        "replicas": args.size.brokers,
        "roles": ["controller", "broker"],
        "storage": {"type": "jbod", "volumes": [volume]},
        "jvmOptions": {"-Xms": heap, "-Xmx": heap},
        "resources": {
            "requests": {"cpu": f"{round(broker.cpus * args.reserved_cpu * 1000)}m", "memory": memory},
            "limits": {"cpu": f"{round(broker.cpus * 1000)}m", "memory": memory},
        },
        "template": {
            "pod": {**_pod(args.cluster, apart=True), "terminationGracePeriodSeconds": STOP_GRACE.seconds},
            "kafkaContainer": _confined(),
        },
    }


def _cluster(args: StrimziKafkaArgs) -> Mapping[str, Any]:
    copies, in_sync = args.size.replicas, args.size.in_sync
    version = args.kafka.version
    return {
        "clusterCa": CA_AGE,
        "kafka": {
            **({"version": version} if version is not None else {}),
            "listeners": [
                {
                    "name": "tls",
                    "port": PORT,
                    "type": "internal",
                    "tls": True,
                    "authentication": {"type": MECHANISM},
                    "networkPolicyPeers": _peers(args),
                }
            ],
            "authorization": {"type": "simple"},
            "quotas": {"type": "strimzi", "minAvailableRatioPerVolume": LEAST_FREE},
            "config": {
                "auto.create.topics.enable": False,
                "default.replication.factor": copies,
                "min.insync.replicas": in_sync,
                "offsets.topic.replication.factor": copies,
                "transaction.state.log.replication.factor": copies,
                "transaction.state.log.min.isr": in_sync,
                "unclean.leader.election.enable": False,
                "message.max.bytes": args.largest_message.bytes,
                "replica.fetch.max.bytes": args.largest_message.bytes,
                "offsets.retention.minutes": 20160,
                "producer.id.expiration.ms": 1000,
                "producer.id.expiration.check.interval.ms": 100,
            },
        },
        "entityOperator": {
            "topicOperator": {"resources": OPERATOR},
            "userOperator": {"resources": OPERATOR},
            "template": {
                "pod": _pod(args.cluster, apart=False),
                "topicOperatorContainer": _confined(),
                "userOperatorContainer": _confined(),
            },
        },
    }


def _peers(args: StrimziKafkaArgs) -> Sequence[Mapping[str, Any]]:
    """Return who may connect to the listener: the stack's own clients, brokers (their tools), the scaler."""
    clients = {"key": NAME, "operator": "In", "values": list(args.clients)}
    peers: list[Mapping[str, Any]] = [
        {"podSelector": {"matchExpressions": [clients]}},
        {"podSelector": BROKERS["labelSelector"]},
    ]
    if args.scaler is not None:
        peers.append(scaler_peer(args.scaler))
    return peers


def _pod(cluster: KubernetesSection, *, apart: bool) -> Mapping[str, Any]:
    """Place pods as the platform does with the stack's own.

    Their containers are confined, not they: with a security context of ours the operator would leave out its
    own, whose group lets brokers write to a new volume.
    """
    pod: dict[str, Any] = {
        "affinity": _affinity(cluster, apart=apart),
        "topologySpreadConstraints": [placement.over_zones(cluster, BROKERS, peers=True)] if apart else [],
        "tolerations": placement.tolerations(cluster),
        "imagePullSecrets": [{"name": name} for name in cluster.image_pull_secrets],
    }
    if cluster.priority_class is not None:
        pod["priorityClassName"] = cluster.priority_class
    return {key: value for key, value in pod.items() if value}


def _affinity(cluster: KubernetesSection, *, apart: bool) -> Mapping[str, Any]:
    affinity: dict[str, Any] = {}
    if cluster.node_selector:
        labels = [
            {"key": key, "operator": "In", "values": [value]} for key, value in cluster.node_selector.items()
        ]
        terms = {"nodeSelectorTerms": [{"matchExpressions": labels}]}
        affinity["nodeAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    if apart:
        affinity |= placement.apart(BROKERS, required=placement.must_be_apart(cluster))
    return affinity


def _confined() -> Mapping[str, Any]:
    """Confine a container as the namespace's Pod Security level requires."""
    return {
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    }


def _user() -> Mapping[str, Any]:
    def allowed(kind: str, name: str, operations: Sequence[str]) -> Mapping[str, Any]:
        resource = {"type": kind, "name": name, "patternType": "prefix"}
        return {"resource": resource, "operations": list(operations)}

    return {
        "authentication": {"type": MECHANISM},
        "authorization": {
            "type": "simple",
            "acls": [
                allowed("topic", "otlp-", ("Read", "Write", "Describe", "DescribeConfigs")),
                allowed("group", "otel-", ("Read", "Describe")),
            ],
        },
    }
