"""The single collector accepts with TLS whom its settings name, and nobody else."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from components.collectors.tls import CERTIFICATE_FILE, CLIENT_CA_FILE, KEY_FILE, RECEIVER, IngestTls
from components.publication import HostPort
from components.values.documents import Document
from tests.collectors.conftest import RunCollector
from tests.lab.cluster.pki import Signed
from tests.support.encrypted import client_of, issued
from tests.support.numbered import Load
from tests.support.numbered_requests import REQUESTS
from tests.support.otlp import Request, export
from tests.support.ports import free_ports
from tests.support.waiting import until

NAME = "node.example"


def receiver(folder: Path, server: Signed, clients: Signed | None) -> tuple[Any, dict[str, str]]:
    """Give the program's own receiver on free ports, its files written, and its addresses."""
    ports = dict(zip(("grpc", "http"), free_ports(5)[3:], strict=True))
    published = {name: HostPort(host=NAME, port=port, address="127.0.0.1") for name, port in ports.items()}
    authority = None if clients is None else clients.authority
    tls = IngestTls(certificate=server.certificate, key=server.key, client_ca=authority, **published)
    document = Document.read("otel-collector/collector.yaml")
    tls.add_receiver(document, str(folder))
    made = document.get("receivers", RECEIVER)
    for name, port in ports.items():
        made["protocols"][name]["endpoint"] = f"127.0.0.1:{port}"
    files = {CERTIFICATE_FILE: server.certificate, KEY_FILE: server.key, CLIENT_CA_FILE: authority or ""}
    for file, content in files.items():
        (folder / file).write_text(content)
    return made, {"grpc": f"127.0.0.1:{ports['grpc']}", "http": f"https://127.0.0.1:{ports['http']}"}


def request(run: str) -> Request:
    return REQUESTS["traces"](Load(run=run, target=""), 0, [1])[0]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_who_has_a_certificate_is_accepted(
    run_collector: RunCollector, tmp_path: Path, protocol: str
) -> None:
    server, client = issued("127.0.0.1"), issued("client")
    made, addresses = receiver(tmp_path, server, client)
    collector = run_collector({}, receivers={RECEIVER: made})
    run = uuid.uuid4().hex[:8]

    def sent(as_client: Signed | None) -> str:
        return export(addresses[protocol], "traces", request(run), client_of(server, "127.0.0.1", as_client))

    assert sent(None) != ""
    assert sent(issued("client")) != "", "signed by another authority"
    assert collector.spans() == []
    assert sent(client) == ""
    until("the spans are written", collector.spans, seconds=30)
    others = client_of(issued("127.0.0.1"), "127.0.0.1", client)
    assert export(addresses[protocol], "traces", request(run), others) != "", "the client knows the server"


@pytest.mark.timeout(180)
def test_without_an_authority_for_clients_none_is_asked(run_collector: RunCollector, tmp_path: Path) -> None:
    server = issued("127.0.0.1")
    made, addresses = receiver(tmp_path, server, None)
    collector = run_collector({}, receivers={RECEIVER: made})
    for address in addresses.values():
        assert export(address, "traces", request("none"), client_of(server, "127.0.0.1")) == ""
    until("the spans are written", collector.spans, seconds=30)
