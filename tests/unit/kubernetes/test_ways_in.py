"""The ways in from outside: load balancers, Ingresses, routes, and where the outputs say that they are."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.composition.addresses import cluster_addresses
from components.settings import Settings
from tests.support.documents import ROOT, text
from tests.support.made import annotations_of, made, requests
from tests.support.manifests import name_of
from tests.support.variants import CLUSTER_VARIANTS

HOSTS = {"otlpGrpcHost": "otlp.example.com", "otlpHttpHost": "otlp-http.example.com"}


@pytest.mark.parametrize("policy", ["everybody-to-otel-gateway", "everybody-to-grafana"])
def test_clients_are_kept_to_behind_an_ingress_as_well(policy: str) -> None:
    (rule,) = made("phase3-everything-set").get("NetworkPolicy", policy)["spec"]["ingress"]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"example.com/telemetry": "sends"}}},
        {"ipBlock": {"cidr": "192.0.2.0/24"}},
    ]


def test_what_makes_a_controller_speak_grpc_is_about_grpc_alone() -> None:
    """Some read it on the Ingress, some on the Service, and there for all of its ports."""
    found, told = made("phase3-everything-set"), {"nginx.ingress.kubernetes.io/backend-protocol": "GRPC"}
    ingresses = {one["metadata"]["name"]: one for one in found.of("Ingress")}
    for name, ingress in ingresses.items():
        (rule,) = ingress["spec"]["rules"]
        (path,) = rule["http"]["paths"]
        service = found.get("Service", path["backend"]["service"]["name"])
        is_grpc = name == "otel-gateway-otlp-grpc"
        assert (told.items() <= annotations_of(ingress).items()) == is_grpc
        assert (told.items() <= annotations_of(service).items()) == is_grpc
    ports = found.get("Service", "otel-gateway-otlp-grpc")["spec"]["ports"]
    assert [(port["port"], port["appProtocol"]) for port in ports] == [(4317, "kubernetes.io/h2c")]


WAYS_IN = {
    "phase3-everything-set": ("kubernetes:networking.k8s.io/v1:Ingress", ""),
    "phase3-gateway-api": ("kubernetes:gateway.networking.k8s.io/v1:", ""),
    "phase3-load-balancer": ("kubernetes:core/v1:Service", "-external"),
}
"""By variant: how their types begin, and how their names end."""


@pytest.mark.parametrize("name", WAYS_IN)
def test_ways_in_come_after_the_pods_behind_them(name: str) -> None:
    kind, end = WAYS_IN[name]
    with requests() as registered:
        made(name)
    ways = [one for one in registered if one.type.startswith(kind) and one.name.endswith(end)]
    assert {one.name.split("-")[0] for one in ways} == {"otel", "grafana"}
    for one in ways:
        (before,) = one.dependencies
        program = "otel-gateway" if one.name.startswith("otel-gateway-") else "grafana"
        assert before.endswith((f":apps/v1:Deployment::{program}", f":apps/v1:StatefulSet::{program}"))


def test_routes_attach_to_the_listener_of_the_settings_alone() -> None:
    """Else to every one of the Gateway, those without TLS included."""
    kind = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
    parent = {**kind, "name": "public", "namespace": "gateways"}
    config = CLUSTER_VARIANTS["phase3-gateway-api"]["kubernetes"]
    exposure = {key: value for key, value in config["exposure"].items() if key != "gatewayListener"}
    for found, parents in (
        (made("phase3-gateway-api"), [{**parent, "sectionName": "https"}]),
        (made("phase3-gateway-api", kubernetes={**config, "exposure": exposure}), [parent]),
    ):
        routes = found.of("GRPCRoute", "HTTPRoute")
        assert len(routes) == 3
        assert all(one["spec"]["parentRefs"] == parents for one in routes)


def test_routes_say_all_that_the_api_server_would_add() -> None:
    """Else Argo CD finds them changed for ever. A GRPCRoute has no match that would be added."""
    backend = {"group": "", "kind": "Service", "weight": 1}
    everything = [{"path": {"type": "PathPrefix", "value": "/"}}]
    for one in made("phase3-gateway-api").of("GRPCRoute", "HTTPRoute"):
        (rule,) = one["spec"]["rules"]
        (found,) = rule["backendRefs"]
        assert {key: found[key] for key in backend} == backend
        assert rule.get("matches") == (everything if one["kind"] == "HTTPRoute" else None)


def test_load_balancers_take_what_comes_from_the_named_networks_alone() -> None:
    config = CLUSTER_VARIANTS["phase3-load-balancer"]["kubernetes"]
    free = {key: value for key, value in config["exposure"].items() if key != "sourceRanges"}
    for found, ranges in (
        (made("phase3-load-balancer"), ["192.0.2.0/24", "2001:db8::/32"]),
        (made("phase3-load-balancer", kubernetes={**config, "exposure": free}), None),
    ):
        for name in ("otel-gateway-external", "grafana-external"):
            assert found.get("Service", name)["spec"].get("loadBalancerSourceRanges") == ranges
        inside = [one for one in found.of("Service") if one["spec"]["type"] == "ClusterIP"]
        assert not any("loadBalancerSourceRanges" in one["spec"] for one in inside)


def test_the_load_balancers_that_the_documents_have_deleted_are_all_that_there_are() -> None:
    said = re.search(r"delete service ([a-z -]+?) +#", text(ROOT / "docs" / "gitops.md"))
    assert said is not None
    services = made("phase3-load-balancer").of("Service")
    balancers = {name_of(one) for one in services if one["spec"]["type"] == "LoadBalancer"}
    assert set(said[1].split()) == balancers


def test_an_ingress_is_not_waited_for_since_not_every_controller_tells_an_address() -> None:
    ingresses = made("phase3-everything-set").of("Ingress")
    assert ingresses
    assert all(annotations_of(one)["pulumi.com/skipAwait"] == "true" for one in ingresses)


def test_nodes_may_be_clients_beside_every_namespace() -> None:
    cluster = CLUSTER_VARIANTS["phase3-small"]["kubernetes"]
    found = made("phase3-small", kubernetes={**cluster, "clientNetworks": ["10.0.0.0/16"]})
    (rule,) = found.get("NetworkPolicy", "clients-to-otel-gateway")["spec"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/16"}}]


def test_clouds_are_not_told_to_probe_what_load_balancers_lead_to_over_http() -> None:
    """AKS would, for a 200 on ``/``, which neither OTLP nor Grafana answers."""
    found = made("phase3-load-balancer")
    for name in ("otel-gateway-external", "grafana-external"):
        assert not any("appProtocol" in port for port in found.get("Service", name)["spec"]["ports"])


@pytest.mark.parametrize(
    ("exposure", "grpc", "http"),
    [
        ({"type": "LoadBalancer"}, "http://otlp.example.com:4317", "http://otlp-http.example.com:4318"),
        (
            {"type": "LoadBalancer", "tls": True},
            "https://otlp.example.com:4317",
            "https://otlp-http.example.com:4318",
        ),
        ({"type": "Ingress"}, "http://otlp.example.com:80", "http://otlp-http.example.com:80"),
        (
            {"type": "Ingress", "tlsSecret": "tls"},
            "https://otlp.example.com:443",
            "https://otlp-http.example.com:443",
        ),
        (
            {"type": "Ingress", "tls": True},
            "https://otlp.example.com:443",
            "https://otlp-http.example.com:443",
        ),
        (
            {"type": "GatewayAPI", "gateway": "public"},
            "https://otlp.example.com:443",
            "https://otlp-http.example.com:443",
        ),
        (
            {"type": "GatewayAPI", "gateway": "public", "tls": False},
            "http://otlp.example.com:80",
            "http://otlp-http.example.com:80",
        ),
    ],
)
def test_outputs_say_whether_clients_encrypt(exposure: dict[str, Any], grpc: str, http: str) -> None:
    cluster = {**CLUSTER_VARIANTS["phase3-small"]["kubernetes"], "exposure": {**exposure, **HOSTS}}
    addresses = cluster_addresses(Settings.load({"phase": 3, "kubernetes": cluster}))
    assert (addresses.otlp_grpc.url, addresses.otlp_http.url) == (grpc, http)
