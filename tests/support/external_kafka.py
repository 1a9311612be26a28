"""A Kafka that is not the stack's: encrypted, with logins, and with rights only for what is needed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lab.cluster.pki import Identity, Signed, signed
from tests.support.waiting import until

USER, MECHANISM = "otel", "SCRAM-SHA-512"
TOPICS, GROUPS = "otlp-", "otel-"
"""Prefixes of the names that the user has rights for."""

USES = ("Read", "Write", "Describe")
"""On topics: what gateways and processors need."""

MAKES = ("Create", "Alter", "AlterConfigs", "DescribeConfigs")
"""On topics: what creating them and maintaining their settings also needs."""

NAME, PORT = "somebodys-kafka", 9096
"""The port is below those that stacks under test get."""

CONFIG = "/mnt/shared/config"
"""Where its image looks for ``server.properties``."""

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
    """A broker, wherever it runs.

    Attributes:
        host: where the stack reaches it.
        execute: runs a command where it runs; raises ``AssertionError`` when that fails.
        known: its certificate.
        password: of the user.
    """

    host: str
    execute: Callable[[Sequence[str]], str]
    known: Signed
    password: str = field(default_factory=secrets.token_urlsafe)

    @property
    def server(self) -> str:
        """``host:port`` for the stack."""
        return f"{self.host}:{PORT}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Sections of a stack's configuration that point to it."""
        security = {"mechanism": MECHANISM, "username": USER, "ca": self.known.authority}
        kafka = {"mode": "external", "bootstrapServers": [self.server], "security": security}
        return {"kafka": kafka, "kafkaPassword": self.password}

    def run(self, tool: str, *arguments: str) -> str:
        """Run one of Kafka's tools as its administrator.

        Raises:
            AssertionError: it failed.
        """
        return self.execute([f"/opt/kafka/bin/{tool}.sh", *_ADMIN, *arguments])

    def begin(self) -> None:
        """Wait until it answers, and create the user, who may do nothing yet."""
        until("the broker to answer", lambda: not self.topics(), seconds=120, forgive=(AssertionError,))
        login = f"{MECHANISM}=[password={self.password}]"
        user = ("--entity-type=users", f"--entity-name={USER}")
        self.run("kafka-configs", "--alter", "--add-config", login, *user)

    def topics(self) -> set[str]:
        """Name the topics, without Kafka's own."""
        names = self.run("kafka-topics", "--list").split()
        return {name for name in names if not name.startswith("__")}

    def allow(self, operations: Sequence[str]) -> None:
        """Give the user these rights on topics, and those of a reader on its groups; take all others away.

        Rights are taken away without naming the user: for a user alone, the tool removes only the right to
        do everything.
        """
        user = f"User:{USER}"
        listed = ("--resource-pattern-type", "prefixed")
        for kind, name in (("--topic", TOPICS), ("--group", GROUPS)):
            self.run("kafka-acls", "--remove", "--force", kind, name, *listed)
        wanted = [part for operation in operations for part in ("--operation", operation)]
        self.run("kafka-acls", "--add", "--allow-principal", user, *wanted, "--topic", TOPICS, *listed)
        groups = ("--operation", "Read", "--operation", "Describe", "--group", GROUPS)
        self.run("kafka-acls", "--add", "--allow-principal", user, *groups, *listed)


def certificate(host: str) -> Signed:
    """Make the broker's certificate."""
    return signed(Identity(name="kafka", user="kafka", hosts=(host,)))


def properties(address: str, known: Signed) -> str:
    """Give the broker's settings."""
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
