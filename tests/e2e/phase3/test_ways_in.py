"""From outside through Traefik: by Ingresses and by a Gateway, with TLS, by the names of the settings."""

from __future__ import annotations

import json
import ssl
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase3.conftest import NAMESPACE
from tests.lab.cluster import kubectl, lifecycle, pki, traefik
from tests.lab.errors import LabError
from tests.support.deployment import ClusterDeployment
from tests.support.lab import missing
from tests.support.numbered import Load
from tests.support.numbered_requests import logs_request
from tests.support.numbered_sending import running
from tests.support.otlp import Tls
from tests.support.sharing import accepted, shares
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

HOSTS = {
    "otlpGrpcHost": "otlp.example.com",
    "otlpHttpHost": "otlp-http.example.com",
    "grafanaHost": "grafana.example.com",
}
SECRET = "otlp-tls"
GATEWAY, GATEWAYS = "public", "traefik"
PLAIN, ENCRYPTED = "web", "websecure"
"""Traefik's entry points, and the Gateway's listeners of their ports."""
WAYS: Mapping[str, Mapping[str, Any]] = {
    "Ingress": {
        "className": "traefik",
        "tlsSecret": SECRET,
        "annotations": {"traefik.ingress.kubernetes.io/router.entrypoints": ENCRYPTED},
        "grpcAnnotations": {"traefik.ingress.kubernetes.io/service.serversscheme": "h2c"},
    },
    "GatewayAPI": {"gateway": GATEWAY, "gatewayNamespace": GATEWAYS, "gatewayListener": ENCRYPTED},
}
LEAST_SHARE = 0.1
"""Of one of two gateways: Traefik gives calls to each in turn, and those of a signal may fall together."""


@pytest.fixture(scope="module")
def certificate(deployed: ClusterDeployment) -> Iterator[pki.Signed]:
    """Traefik, with a certificate for the three names where Ingresses and the Gateway look for it."""
    known = pki.signed(pki.Identity(name="outside", user="outside", hosts=tuple(HOSTS.values())))
    try:
        with lifecycle.lock():
            traefik.up()
    except LabError as error:
        missing(str(error))
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": _objects(known)}))
    yield known
    deployed.become()
    kubectl.run(f"--namespace={NAMESPACE}", "delete", "secret", SECRET)
    traefik.down()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_acknowledged_outside_is_stored(
    deployed: ClusterDeployment, certificate: pki.Signed, report: Report, note: Note, way: str
) -> None:
    exposure = {"type": way, **HOSTS, **WAYS[way]}
    deployed.become(kubernetes={"exposure": exposure, "clients": traefik.CLIENTS})
    site = deployed.site
    tls = Tls(host=HOSTS["otlpGrpcHost"], authority=certificate.authority)
    load = Load(run=uuid.uuid4().hex[:8], target=f"{traefik.ADDRESS}:443", tls=tls)
    with running(load):
        flow(load)
        before = accepted(site, "log_records")
        flow(load)
        spread = shares(before, accepted(site, "log_records"))
        site.delete(site.pods("otel-gateway")[0])
        flow(load)
    note({"shares of the gateways": sorted(round(share, 2) for share in spread.values())})
    assert min(spread.values()) > LEAST_SHARE, spread
    report(load, demand_nothing_lost(site, load))
    _demand_http(certificate)
    _demand_nothing_in_clear()
    if way == "GatewayAPI":
        _demand_all_routes_at_one_listener()


def _demand_http(known: pki.Signed) -> None:
    """OTLP over HTTP is accepted, and Grafana answers, each only by its own name."""
    with httpx.Client(verify=ssl.create_default_context(cadata=known.authority), timeout=30) as client:

        def ask(host: str, path: str, content: bytes = b"") -> httpx.Response:
            headers = {"host": HOSTS[host], "content-type": "application/x-protobuf"}
            request = client.build_request(
                "POST" if content else "GET",
                f"https://{traefik.ADDRESS}{path}",
                content=content,
                headers=headers,
                extensions={"sni_hostname": HOSTS[host]},
            )
            return client.send(request)

        (request,) = logs_request(Load(run="outside", target=""), 0, [1])
        sent = ask("otlpHttpHost", "/v1/logs", request.SerializeToString())
        assert sent.is_success, f"{sent.status_code} {sent.text}"
        assert ask("grafanaHost", "/api/health").json()["database"] == "ok"
        assert ask("otlpHttpHost", "/api/health").status_code == httpx.codes.NOT_FOUND


def _demand_nothing_in_clear() -> None:
    """Whoever sends without TLS, by the right name, finds nothing."""
    for host, path in (("otlpHttpHost", "/v1/logs"), ("grafanaHost", "/login")):
        method = "POST" if host == "otlpHttpHost" else "GET"
        headers = {"host": HOSTS[host], "content-type": "application/x-protobuf"}
        answer = httpx.request(method, f"http://{traefik.ADDRESS}{path}", headers=headers, timeout=30)
        assert answer.status_code == httpx.codes.NOT_FOUND, f"{host}: {answer.status_code} {answer.text}"


def _demand_all_routes_at_one_listener() -> None:
    """The plain listener is there and would serve; no route is attached to it."""

    def attached() -> dict[str, int]:
        names = (f"--namespace={GATEWAYS}", "get", "gateway", GATEWAY)
        found = json.loads(kubectl.run(*names, "--output=json"))["status"]["listeners"]
        programmed = {"type": "Programmed", "status": "True"}
        return {
            one["name"]: one["attachedRoutes"]
            for one in found
            if any(programmed.items() <= condition.items() for condition in one["conditions"])
        }

    wanted = {PLAIN: 0, ENCRYPTED: len(HOSTS)}
    until(f"routes at the listeners: {wanted}", lambda: attached() == wanted, seconds=30)


def _listener(name: str, port: int, **fields: Any) -> dict[str, Any]:
    return {"name": name, "port": port, "allowedRoutes": {"namespaces": {"from": "All"}}, **fields}


def _objects(known: pki.Signed) -> list[dict[str, Any]]:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": known.certificate, "tls.key": known.key},
    }
    listeners = [
        _listener(PLAIN, 8000, protocol="HTTP"),
        _listener(ENCRYPTED, 8443, protocol="HTTPS", tls={"certificateRefs": [{"name": SECRET}]}),
    ]
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY, "namespace": GATEWAYS},
        "spec": {"gatewayClassName": "traefik", "listeners": listeners},
    }
    spaces = (NAMESPACE, GATEWAYS)
    return [*({**secret, "metadata": {"name": SECRET, "namespace": space}} for space in spaces), gateway]
