"""What each lab image holds: the paths, owners and tools that the official image promises its user."""

from __future__ import annotations

from pathlib import Path

from tests.lab import alpine, cache, debian
from tests.lab.rootfs import RootFs

_HERE = Path(__file__).parent
KAFKA_FILES = _HERE / "kafka"
HAPROXY_FILES = _HERE / "haproxy"

KAFKA_COMMANDS = {
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-cluster.sh": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-delete-records.sh": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-leader-election.sh": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs.sh": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum.sh": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-producer-perf-test.sh": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions.sh": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-storage.sh": "kafka.tools.StorageTool",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
}


def collector(root: RootFs) -> None:
    """From scratch: the program and nothing else, not even a folder for temporary files."""
    root.program("otelcol-contrib", cache.binary("otelcol-contrib"))


def jaeger(root: RootFs) -> None:
    """Alpine's tools and the program at its official path."""
    root.program("cmd/jaeger/jaeger-linux", cache.binary("jaeger"))
    alpine.tools(root)


def prometheus(root: RootFs) -> None:
    """BusyBox, both programs, and a data folder that belongs to nobody."""
    root.program("bin/prometheus", cache.binary("prometheus"))
    root.program("bin/promtool", cache.binary("promtool"))
    root.directory("prometheus", uid=65534, gid=65534, mode=0o775)
    root.directory("etc/prometheus", uid=65534, gid=65534)
    root.text("etc/prometheus/prometheus.yml", "global: {}\n", uid=65534, gid=65534)
    root.users({"nobody": (65534, 65534)})
    alpine.tools(root)


def loki(root: RootFs) -> None:
    """No shell: the program and data folders that belong to its user."""
    root.program("usr/bin/loki", cache.binary("loki"))
    for path in ("loki", "loki/rules", "loki/rules-temp", "etc/loki"):
        root.directory(path, uid=10001, gid=10001)
    root.directory("tmp", mode=0o1777)
    root.users({"loki": (10001, 10001), "nobody": (65534, 65534)})


def grafana(root: RootFs) -> None:
    """Alpine's tools and the stand-in under Grafana's paths."""
    root.program("usr/share/grafana/bin/grafana", cache.binary("grafana"))
    root.text("run.sh", '#!/bin/sh\nexec /usr/share/grafana/bin/grafana server "$@"\n', mode=0o755)
    root.directory("usr/share/grafana/data/plugins-bundled")
    for path in ("var/lib/grafana", "var/lib/grafana/plugins", "var/log/grafana", "etc/grafana/provisioning"):
        root.directory(path, uid=472, mode=0o777)
    for kind in ("datasources", "dashboards", "alerting", "plugins", "notifiers", "access-control"):
        root.directory(f"etc/grafana/provisioning/{kind}", uid=472, mode=0o777)
    root.text("etc/grafana/grafana.ini", "")
    root.users({"grafana": (472, 0)})
    alpine.tools(root)


def kafka(root: RootFs) -> None:
    """A Java runtime, Kafka's jars and commands, Alpine's tools, and folders that belong to appuser."""
    user = {"uid": 1000, "gid": 1000}
    for path in ("opt/kafka", "opt/kafka/config", "opt/kafka/logs", "usr/logs", "mnt/shared/config"):
        root.directory(path, **user)
    for path in ("etc/kafka", "etc/kafka/docker", "etc/kafka/secrets", "var/lib/kafka", "var/lib/kafka/data"):
        root.directory(path, uid=1000, mode=0o775)
    root.file("etc/kafka/docker/run", KAFKA_FILES / "run", uid=1000, gid=1000, mode=0o755)
    for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        root.file(f"etc/kafka/docker/{name}", KAFKA_FILES / name, uid=1000)
        root.file(f"opt/kafka/config/{name}", KAFKA_FILES / name, **user)
    for name in ("kafka-run-class.sh", "kafka-server-start.sh"):
        root.file(f"opt/kafka/bin/{name}", KAFKA_FILES / name, mode=0o755)
    for name, main_class in KAFKA_COMMANDS.items():
        command = f'#!/bin/sh\nexec /opt/kafka/bin/kafka-run-class.sh {main_class} "$@"\n'
        root.text(f"opt/kafka/bin/{name}", command, mode=0o755)
    for jar in sorted((cache.kafka_home() / "libs").glob("*.jar")):
        root.file(f"opt/kafka/libs/{jar.name}", jar)
    root.directory("home/appuser", **user)
    root.users({"appuser": (1000, 1000), "nobody": (65534, 65534)}, login="/bin/bash")
    root.merge(debian.JAVA.tar)
    alpine.tools(root, "usr/bin")


def haproxy(root: RootFs) -> None:
    """HAProxy of Debian under the official image's paths and user, and Alpine's tools."""
    root.link("usr/local/sbin/haproxy", "/usr/sbin/haproxy")
    root.file("usr/local/bin/docker-entrypoint.sh", HAPROXY_FILES / "docker-entrypoint.sh", mode=0o755)
    root.directory("usr/local/etc/haproxy")
    root.directory("var/lib/haproxy", uid=99, gid=99)
    root.users({"haproxy": (99, 99)})
    root.merge(debian.HAPROXY.tar, without={"usr/bin/bash"})
    alpine.tools(root, "usr/bin")
