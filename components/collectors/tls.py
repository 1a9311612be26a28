"""OTLP with TLS: the ports, files and receiver of whichever program other machines send to."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

from components.publication import Publication
from components.values.documents import Document
from components.values.secret_text import SecretText
from components.workload import Port, Workload

GRPC_PORT, HTTP_PORT = 4327, 4328
"""Ports inside the container; those without TLS have 4317 and 4318."""

CERTIFICATE_FILE = "otlp.pem"
KEY_FILE = f"{CERTIFICATE_FILE}.key"
"""Where HAProxy looks for the key of the certificate."""

CLIENT_CA_FILE = "otlp-clients.pem"

RECEIVER = "otlp/tls"


@dataclass(frozen=True, kw_only=True)
class IngestTls:
    """OTLP with TLS, for other machines.

    Attributes:
        certificate: PEM certificates of the name that clients use and of those who signed it.
        key: its private key.
        client_ca: PEM certificates of the CA that signs clients' own; None where clients need none.
        grpc: where OTLP over gRPC is published.
        http: where OTLP over HTTP is published.
    """

    certificate: str
    key: SecretText
    client_ca: str | None
    grpc: Publication
    http: Publication

    def within(self, workload: Workload) -> Workload:
        """Give a program the ports for it, and its files beside the program's own."""
        ports = (
            Port(name="otlp-grpc-tls", number=GRPC_PORT, published=self.grpc, speaks="grpc"),
            Port(name="otlp-http-tls", number=HTTP_PORT, published=self.http),
        )
        clients = {} if self.client_ca is None else {CLIENT_CA_FILE: self.client_ca}
        return replace(
            workload,
            ports=(*workload.ports, *ports),
            files={**workload.files, CERTIFICATE_FILE: self.certificate, **clients},
            secret_files={**workload.secret_files, KEY_FILE: self.key},
        )

    def add_receiver(self, document: Document, directory: str) -> None:
        """Have a collector accept the same with TLS as without, its files being in ``directory``."""
        receivers = document.get("receivers")
        receiver = receivers[RECEIVER] = copy.deepcopy(receivers["otlp"])
        tls = {"cert_file": f"{directory}/{CERTIFICATE_FILE}", "key_file": f"{directory}/{KEY_FILE}"}
        if self.client_ca is not None:
            tls["client_ca_file"] = f"{directory}/{CLIENT_CA_FILE}"
        for protocol, port in (("grpc", GRPC_PORT), ("http", HTTP_PORT)):
            receiver["protocols"][protocol] |= {"endpoint": f"0.0.0.0:{port}", "tls": dict(tls)}
        for pipeline in document.get("service", "pipelines").values():
            if "otlp" in pipeline["receivers"]:
                pipeline["receivers"].append(RECEIVER)
