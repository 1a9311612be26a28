"""OTLP with TLS through HAProxy: who has a certificate gets through to the stores, nobody else gets in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from components.settings import Settings
from tests.e2e.conftest import Report
from tests.lab.cluster.pki import Signed
from tests.support.docker_site import Site
from tests.support.encrypted import client_of, encrypted, issued
from tests.support.numbered import Load
from tests.support.numbered_requests import REQUESTS
from tests.support.numbered_sending import running
from tests.support.otlp import SERVICES, Tls, export
from tests.support.ports import free_ports
from tests.support.stack import Stack
from tests.support.steady import flow
from tests.support.stored import await_all

Ports = dict[str, int]


@pytest.fixture(scope="module")
def client() -> Signed:
    return issued("client")


@pytest.fixture(scope="module")
def server(site: Site) -> Signed:
    return issued(site.address)


@pytest.fixture(scope="module")
def ports(site: Site, changeable: Stack, server: Signed, client: Signed) -> Iterator[Ports]:
    """The ports with TLS, which the stack has until the tests of this file are over."""
    taken = {address[1] for address in Settings.load(changeable.config).published_ports().values()}
    free = [port for port in free_ports(len(taken) + 2) if port not in taken]
    found = {"grpcPort": free[0], "httpPort": free[1]}
    with_tls = encrypted(site.address, address=site.address, server=server, clients=client.authority, **found)
    before = changeable.config["ingest"]
    try:
        changeable.up({**with_tls, "ingest": {**before, **with_tls["ingest"]}})
        yield found
    finally:
        del changeable.config["ingestTlsKey"]
        changeable.up({"ingest": before})


def targets(site: Site, ports: Ports) -> tuple[str, str]:
    """Give the addresses with TLS, over gRPC and over HTTP."""
    return f"{site.address}:{ports['grpcPort']}", f"https://{site.address}:{ports['httpPort']}"


@pytest.mark.timeout(900)
def test_what_is_sent_with_tls_is_stored(
    site: Site, ports: Ports, server: Signed, client: Signed, report: Report
) -> None:
    for target in targets(site, ports):
        tls = client_of(server, site.address, client)
        load = Load(run=uuid.uuid4().hex[:8], target=target, tls=tls)
        with running(load):
            flow(load)
        found = await_all(site, load)
        assert all(not found[signal].missing for signal in SERVICES), found
        report(load, found)


@pytest.mark.timeout(300)
def test_who_has_no_certificate_is_refused(site: Site, ports: Ports, server: Signed, client: Signed) -> None:
    (request,) = REQUESTS["logs"](Load(run="stranger", target=""), 0, [1])

    def refusals(tls: Tls) -> list[str]:
        return [export(target, "logs", request, tls) for target in targets(site, ports)]

    assert refusals(client_of(server, site.address, client)) == ["", ""]
    for other in (None, issued("client")):
        assert all(refusals(client_of(server, site.address, other)))
