"""Kafka: keeps everything between gateways and processors until a store has it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.base import StackComponent, data_volumes, limits
from components.images import Image
from components.kafka.client import KafkaClient
from components.kafka.topics import TOPICS, Topic, topics
from components.metrics_target import MetricsTarget
from components.sections.kafka import KafkaSection
from components.settings.fixed import fix_brokers, fix_partitions
from components.sizing.buffer import BufferSize
from components.values.documents import text, texts
from components.values.quantities import Duration, Size
from components.values.secret_text import SecretText
from components.workload import Platform, Port, Probe, Workload, headless, replica_hosts

CONFIG_DIRECTORY = "/mnt/shared/config"
DATA_DIRECTORY = "/var/lib/kafka/data"
WAITS = "/tmp/waits-for-room"  # noqa: S108 - a path inside the container
"""The file by which ``run.sh`` says that it waits."""

IMAGE_COMMAND = "/etc/kafka/docker/run"
"""What the image runs by default: it formats a new disk, writes the configuration and becomes the broker."""

PORT, CONTROLLER_PORT = 9092, 9093
CLUSTER_ID = base64.urlsafe_b64encode(b"otel-stack-kafka").decode().rstrip("=")
"""Sixteen bytes that every broker of a cluster must share; each stack's network has one cluster only."""

TOOL_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For programs that run for a second: 1.4 instead of 2.8 s of processor time each."""
GC_LOG = "-Xlog:gc=off"
"""Set, because by default Kafka's start script writes ten files of 100 MB into a folder of 64 MiB."""

STOP_GRACE = Duration(60)
"""A broker hands over its leaderships and closes its log in this time, or checks all of it at its start."""


@dataclass(frozen=True, kw_only=True)
class KafkaBufferArgs:
    """Settings of the buffer.

    Attributes:
        image: Kafka's image, for brokers and tools.
        size: brokers, partitions, copies.
        kafka: mode, retention, who creates the topics.
        largest_message: largest record that the topics accept.
        metrics: where the counts of partitions that lack a copy are sent.
        trace_readers: consumer groups that read the traces topic; it gets more partitions only when they have
            read all of it.
        groups: every consumer group of the stack, with its topic; lower limits of a topic wait for them.
        password: SASL password of an external cluster, or where it is kept.
        authority: certificates of the CA that signs its brokers' own, or where they are kept.
    """

    image: Image
    size: BufferSize
    kafka: KafkaSection
    largest_message: Size
    metrics: MetricsTarget
    trace_readers: Sequence[str]
    groups: Mapping[str, str]
    password: SecretText | None = None
    authority: SecretText | None = None


class KafkaBuffer(StackComponent):
    """Kafka in KRaft mode, or an existing one, with the topics of the stack.

    Attributes:
        client: how to reach it.
    """

    def __init__(self, name: str, args: KafkaBufferArgs, *, platform: Platform) -> None:
        """Run the brokers, then create the topics; others wait for those, unless somebody else makes them.

        Raises:
            pulumi.RunError: partitions of the traces topic, or brokers, differ from what it was made with.
        """
        super().__init__(name, platform)
        external = args.kafka.mode == "external"
        self.client = KafkaClient(
            servers=args.kafka.bootstrap_servers if external else _servers(name, args.size.brokers),
            security=args.kafka.security if external else None,
            password=args.password,
            authority=args.authority,
            largest_message=args.largest_message,
        )
        if not external:
            fix_brokers(name, args.size.brokers, parent=self)
            self.start(_brokers(name, args))
        if args.kafka.create_topics:
            fix_partitions(name, args.size.partitions, parent=self)
            brokers, self.ready = self.ready, []
            self.start(_topics(name, args, self.client), brokers)
        else:
            platform.run(_topics(name, args, self.client), parent=self)
        self.register_outputs({"servers": list(self.client.servers)})


def _servers(name: str, brokers: int) -> list[str]:
    return [f"{host}:{PORT}" for host in replica_hosts(name, brokers)]


def _brokers(name: str, args: KafkaBufferArgs) -> Workload:
    return Workload(
        name=name,
        image=args.image,
        replicas=args.size.brokers,
        identity=True,
        peers=True,
        args=["bash", f"{CONFIG_DIRECTORY}/run.sh", DATA_DIRECTORY, IMAGE_COMMAND, WAITS],
        environment=_broker_environment(name, args),
        config_directory=CONFIG_DIRECTORY,
        files={
            "server.properties": text("kafka/server.properties"),
            **texts("kafka/brokers", "*"),
        },
        ports=[
            Port(name="kafka", number=PORT, speaks="bytes"),
            Port(name="controller", number=CONTROLLER_PORT, speaks="bytes"),
        ],
        probe=Probe(
            port=None,
            command=("bash", f"{CONFIG_DIRECTORY}/in-sync.sh"),
            alive_command=("bash", f"{CONFIG_DIRECTORY}/alive.sh", WAITS, str(CONTROLLER_PORT)),
            first_command=("bash", f"{CONFIG_DIRECTORY}/first-up.sh"),
        ),
        resources=limits(args.size.broker),
        volumes=data_volumes("kafka-data", DATA_DIRECTORY, args.size.broker),
        writable=("/tmp", "/opt/kafka/config", "/opt/kafka/logs"),  # noqa: S108 - paths inside the container
        stop_grace=STOP_GRACE,
    )


def _broker_environment(name: str, args: KafkaBufferArgs) -> Mapping[str, str]:
    """Set what differs from the single broker of the configuration file."""
    copies, in_sync = str(args.size.replicas), str(args.size.in_sync)
    heap = args.size.heap.mebibytes
    voters = enumerate(replica_hosts(name, args.size.brokers), start=1)
    return {
        "CLUSTER_ID": CLUSTER_ID,
        "KAFKA_HEAP_OPTS": f"-Xms{heap}m -Xmx{heap}m",
        "KAFKA_GC_LOG_OPTS": GC_LOG,
        "KAFKA_NODE_ID": "$(REPLICA_NUMBER)",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": ",".join(
            f"{number}@{host}:{CONTROLLER_PORT}" for number, host in voters
        ),
        "KAFKA_LISTENERS": f"PLAINTEXT://:{PORT},CONTROLLER://:{CONTROLLER_PORT}",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://$(REPLICA).{headless(name)}$(DOMAIN):{PORT}",
        "KAFKA_DEFAULT_REPLICATION_FACTOR": copies,
        "KAFKA_MIN_INSYNC_REPLICAS": in_sync,
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": copies,
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": copies,
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": in_sync,
        "KAFKA_MESSAGE_MAX_BYTES": str(args.largest_message.bytes),
        "KAFKA_REPLICA_FETCH_MAX_BYTES": str(args.largest_message.bytes),
    }


def _topics(name: str, args: KafkaBufferArgs, client: KafkaClient) -> Workload:
    """Describe what creates the topics, or only looks for them where somebody else does.

    Either has Kafka's tools, which operators run in it. Where somebody else has still to make a topic, no
    restart helps, and no update waits.
    """
    creates = args.kafka.create_topics
    scripts = ("copies.sh", "topics.sh") if creates else ("check-topics.sh",)
    secured = client.security is not None
    root = f"/etc/{name}-topics"
    environment = {
        "BOOTSTRAP": ",".join(client.servers),
        **(_creation(args) if creates else {"TOPICS": "\n".join(topic.name for topic in _wanted(args))}),
        "KAFKA_HEAP_OPTS": f"-Xmx{args.size.topics.memory.share(0.5).mebibytes}m",
        "KAFKA_JVM_PERFORMANCE_OPTS": TOOL_JVM,
        "LOG_DIR": "/tmp",  # noqa: S108 - a path inside the container
        **({"CLIENT": f"{root}/client.properties"} if secured else {}),
    }
    return Workload(
        name=f"{name}-topics",
        image=args.image,
        calls=[*client.servers, *([args.metrics.callee] if creates else [])],
        entry_point=["/bin/bash", f"{root}/{scripts[-1]}"],
        environment=environment,
        config_directory=root,
        files={
            **{script: text(f"kafka/{script}") for script in scripts},
            **(args.metrics.files if creates else {}),
            **({"client.properties": client.properties(root)} if secured else {}),
        },
        secret_files=client.secret_files,
        probe=Probe(
            port=None,
            command=("test", "-f", "/tmp/ready"),  # noqa: S108 - a path inside the container
            alive_command=None if creates else ("true",),
            awaited=creates,
        ),
        resources=limits(args.size.topics),
    )


def _creation(args: KafkaBufferArgs) -> Mapping[str, str]:
    """Say what ``topics.sh`` creates, and where ``copies.sh`` sends its counts."""
    return {
        "REPLICAS": str(args.size.replicas) if args.kafka.mode == "builtin" else "",
        "TOPICS": "\n".join(topic.as_line() for topic in _wanted(args)),
        "KEYED": TOPICS["traces"],
        "READERS": " ".join(args.trace_readers),
        "CONSUMERS": "\n".join(_consumers(args.groups)),
        **args.metrics.environment,
    }


def _consumers(groups: Mapping[str, str]) -> Iterator[str]:
    for topic in sorted({*groups.values()}):
        yield " ".join([topic, *(group for group, read in groups.items() if read == topic)])


def _wanted(args: KafkaBufferArgs) -> Sequence[Topic]:
    return topics(args.size, args.kafka, args.largest_message)
