"""How collectors and tools connect to Kafka, whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.autoscaling import KafkaLag, KafkaLogin
from components.collectors.workload import CONFIG_DIRECTORY
from components.sections.kafka import KafkaSecurity
from components.sizing.batches import largest_batch
from components.values.documents import Document
from components.values.quantities import Size
from components.values.secret_text import SecretText

DIRECTORY_PROVIDER = "org.apache.kafka.common.config.provider.DirectoryConfigProvider"
PASSWORD_FILE = "secrets/kafka-password"  # noqa: S105 - a path

AUTHORITY_FILE = "secrets/kafka-ca.crt"

QUEUED_BATCHES = 4
"""How many of the largest batches a queue of bytes must hold: it accepts nothing larger than itself."""


@dataclass(frozen=True, kw_only=True)
class KafkaClient:
    """Addresses and credentials of a Kafka cluster.

    Attributes:
        servers: ``host:port`` of its brokers.
        security: encryption and login; None for the stack's own brokers inside their network.
        password: SASL password, or where it is kept; None without login.
        authority: certificates of the CA that signs the brokers' own; None for a public CA.
        largest_message: largest record that its topics accept.
    """

    servers: Sequence[str]
    security: KafkaSecurity | None = None
    password: SecretText | None = None
    authority: SecretText | None = None
    largest_message: Size

    @property
    def secret_files(self) -> Mapping[str, SecretText]:
        """Files that collectors and Kafka's own tools need to log in."""
        files = {PASSWORD_FILE: self.password, AUTHORITY_FILE: self.authority}
        return {path: content for path, content in files.items() if content is not None}

    def configure(self, document: Document, *component: str) -> None:
        """Point one Kafka receiver or exporter of a collector's configuration at the cluster."""
        settings = document.get(*component)
        settings["brokers"] = list(self.servers)
        if self.security is None:
            return
        if self.security.tls:
            settings["tls"] = {"insecure": False}
            if self.authority is not None:
                settings["tls"]["ca_file"] = f"{CONFIG_DIRECTORY}/{AUTHORITY_FILE}"
        if self.security.mechanism is not None:
            settings["auth"] = {
                "sasl": {
                    "mechanism": self.security.mechanism,
                    "username": self.security.username,
                    "password": f"${{file:{CONFIG_DIRECTORY}/{PASSWORD_FILE}}}",
                }
            }

    def configure_exporter(self, document: Document, *exporter: str, largest_request: Size) -> None:
        """Do the same for an exporter that batches, and let any single record through."""
        self.configure(document, *exporter)
        document.set(*exporter, "producer", "max_message_bytes", to=self.largest_message.bytes)
        largest = largest_batch(largest_request)
        queue = (*exporter, "sending_queue")
        document.set(*queue, "batch", "max_size", to=largest)
        if document.get(*queue, "sizer") == "bytes":
            room = max(document.get(*queue, "queue_size"), QUEUED_BATCHES * largest)
            document.set(*queue, "queue_size", to=room)

    def lag(self, topics: Mapping[str, str], each: int, held: Mapping[str, int]) -> KafkaLag:
        """Return how to measure the lag: ``topics`` by group, ``each`` and ``held`` per replica."""
        security, login = self.security, None
        if security is not None and security.mechanism and security.username and self.password is not None:
            login = KafkaLogin(
                mechanism=security.mechanism, username=security.username, password=self.password
            )
        return KafkaLag(
            servers=self.servers,
            topics=topics,
            each=each,
            held=held,
            tls=security is not None and security.tls,
            authority=self.authority,
            login=login,
        )

    def properties(self, directory: str) -> str:
        """Write the client properties for Kafka's own tools, which read the password file themselves."""
        security = self.security or KafkaSecurity(tls=False)
        protocol = ("SASL_" if security.mechanism else "") + ("SSL" if security.tls else "PLAINTEXT")
        lines = [f"security.protocol={protocol}"]
        if security.tls and self.authority is not None:
            lines += ["ssl.truststore.type=PEM", f"ssl.truststore.location={directory}/{AUTHORITY_FILE}"]
        if security.mechanism is not None:
            module = "plain.Plain" if security.mechanism == "PLAIN" else "scram.Scram"
            folder, _, file = f"{directory}/{PASSWORD_FILE}".rpartition("/")
            login = f'username="{security.username}" password="${{directory:{folder}:{file}}}"'
            lines += [
                "config.providers=directory",
                f"config.providers.directory.class={DIRECTORY_PROVIDER}",
                f"sasl.mechanism={security.mechanism}",
                f"sasl.jaas.config=org.apache.kafka.common.security.{module}LoginModule required {login};",
            ]
        return "\n".join(lines) + "\n"
