"""A Kafka that is not the stack's: encrypted, with logins, and with rights for what it is asked for only."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from docker.models.containers import Container

from components.images import CATALOGUE
from tests.lab.cluster.pki import Identity, Signed, signed
from tests.support.docker_engine import Engine
from tests.support.waiting import until

USER, MECHANISM = "otel", "SCRAM-SHA-512"
TOPICS, GROUPS = "otlp-", "otel-"
"""Prefixes of the names that the user has rights for."""

USES = ("Read", "Write", "Describe")
"""On topics: what gateways and processors need."""

MAKES = ("Create", "Alter", "AlterConfigs", "DescribeConfigs")
"""On topics: what making them and keeping their settings needs besides."""

NAME, PORT = "somebodys-kafka", 9096
"""The port lies below those that stacks under test get."""

_ADMIN = ("--bootstrap-server", "localhost:9092")
_SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
controller.listener.names=CONTROLLER
listeners=SASL_SSL://0.0.0.0:{port},ADMIN://localhost:9092,CONTROLLER://localhost:9093
advertised.listeners=SASL_SSL://{address}:{port},ADMIN://localhost:9092
inter.broker.listener.name=ADMIN
listener.security.protocol.map=SASL_SSL:SASL_SSL,ADMIN:PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms={mechanism}
listener.name.sasl_ssl.{login}.sasl.jaas.config={module} required;
ssl.keystore.type=PEM
ssl.keystore.certificate.chain={certificate}
ssl.keystore.key={key}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
auto.create.topics.enable=false
message.max.bytes=10485760
replica.fetch.max.bytes=10485760
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.dirs=/var/lib/kafka/data
"""


@dataclass(frozen=True, kw_only=True)
class ExternalKafka:
    """A broker that runs.

    Attributes:
        container: its container.
        server: ``host:port`` for the stack.
        authority: who signed its certificate, in PEM.
        password: of the user.
    """

    container: Container
    server: str
    authority: str
    password: str

    @property
    def settings(self) -> Mapping[str, Any]:
        """Sections of a stack's configuration that lead to it."""
        security = {"mechanism": MECHANISM, "username": USER, "ca": self.authority}
        kafka = {"mode": "external", "bootstrapServers": [self.server], "security": security}
        return {"kafka": kafka, "kafkaPassword": self.password}

    def run(self, tool: str, *arguments: str) -> str:
        """Run one of Kafka's tools as its administrator.

        Raises:
            AssertionError: it failed.
        """
        status, output = self.container.exec_run([f"/opt/kafka/bin/{tool}.sh", *_ADMIN, *arguments])
        text = b"".join([output] if isinstance(output, bytes) else output).decode(errors="replace")
        assert status == 0, f"{tool}: {text}"
        return text

    def topics(self) -> set[str]:
        """Name the topics, without Kafka's own."""
        names = self.run("kafka-topics", "--list").split()
        return {name for name in names if not name.startswith("__")}

    def allow(self, operations: Sequence[str]) -> None:
        """Give the user these rights on topics, and those of a reader on its groups; take all others away."""
        user = f"User:{USER}"
        listed = ("--resource-pattern-type", "prefixed")
        for kind, name in (("--topic", TOPICS), ("--group", GROUPS)):
            self.run("kafka-acls", "--remove", "--force", kind, name, *listed, "--allow-principal", user)
        wanted = [part for operation in operations for part in ("--operation", operation)]
        self.run("kafka-acls", "--add", "--allow-principal", user, *wanted, "--topic", TOPICS, *listed)
        groups = ("--operation", "Read", "--operation", "Describe", "--group", GROUPS)
        self.run("kafka-acls", "--add", "--allow-principal", user, *groups, *listed)


@contextmanager
def running(engine: Engine) -> Iterator[ExternalKafka]:
    """Run a broker with the user, who may do nothing yet; nothing of it is left afterwards."""
    address = engine.address
    identity = Identity(name="kafka", user="kafka", hosts=(address,))
    known, password = signed(identity), secrets.token_urlsafe()
    container = engine.client.containers.create(
        CATALOGUE["kafka"].reference, name=NAME, ports={f"{PORT}/tcp": (address, PORT)}
    )
    try:
        container.put_archive("/mnt/shared/config", _archive(_properties(address, known)))
        container.start()
        made = ExternalKafka(
            container=container, server=f"{address}:{PORT}", authority=known.authority, password=password
        )
        until("the broker to answer", lambda: not made.topics(), seconds=120, forgive=(AssertionError,))
        login = f"{MECHANISM}=[password={password}]"
        made.run(
            "kafka-configs", "--alter", "--add-config", login, "--entity-type=users", f"--entity-name={USER}"
        )
        yield made
    finally:
        container.remove(force=True, v=True)


def _properties(address: str, known: Signed) -> str:
    return _SETTINGS.format(
        address=address,
        port=PORT,
        mechanism=MECHANISM,
        login=MECHANISM.lower(),
        module="org.apache.kafka.common.security.scram.ScramLoginModule",
        certificate=_one_line(known.certificate),
        key=_one_line(known.key),
    )


def _one_line(pem: str) -> str:
    return pem.strip().replace("\n", "\\n")


def _archive(text: str) -> bytes:
    content, packed = text.encode(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("server.properties")
        entry.size, entry.mode = len(content), 0o644
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
