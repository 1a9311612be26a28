"""The query gateway is all that Grafana and readers can reach of phase 4's stores."""

from __future__ import annotations

import pytest

from components.load_balancer import OBSERVERS
from components.query_gateway import PORTS
from tests.kubernetes.edges import allowed
from tests.support.made import made
from tests.support.manifests import name_of
from tests.support.phase4 import objects_of
from tests.support.variants_phase4 import OBJECT_VARIANTS

READERS = {"kubernetes.io/metadata.name": "analytics"}
SHAPES = ("phase4-small", "phase4-split")


@pytest.mark.parametrize("variant", SHAPES)
def test_only_the_gateway_and_writers_reach_a_stores_port(variant: str) -> None:
    found = objects_of(variant)
    stores = {one.name for one in found.programs() if one.name.startswith(("tempo", "mimir", "loki"))}
    for direction in ("Egress", "Ingress"):
        callers = {
            edge.source
            for edge in allowed(found, direction)
            if edge.target in stores and edge.source not in stores and edge.port in PORTS.values()
        }
        assert callers == {
            "query-gateway",
            "otel-processor",
            "prometheus-agent",
            "kafka-topics",
            "postgres-backup",
        }, direction


@pytest.mark.parametrize("variant", SHAPES)
def test_readers_are_let_in_at_the_gateway_alone(variant: str) -> None:
    found = made(variant, kubernetes={**OBJECT_VARIANTS[variant]["kubernetes"], "readers": READERS})
    (policy,) = [one for one in found.of("NetworkPolicy") if name_of(one).startswith("readers-to-")]
    assert name_of(policy) == "readers-to-query-gateway"
    (rule,) = policy["spec"]["ingress"]
    assert {one["port"] for one in rule["ports"]} == set(PORTS.values())


@pytest.mark.parametrize("rules", ["files", "api"])
def test_it_is_told_whether_mimir_takes_rules(rules: str) -> None:
    found = made("phase4-small", stores={"mimir": {"rules": rules}})
    assert found.program("query-gateway").environment()["MIMIR_RULES"] == rules


@pytest.mark.parametrize(("memory", "each"), [("64MiB", 37), ("128MiB", 122), ("256MiB", 293)])
def test_it_takes_as_many_connections_as_its_memory_holds(memory: str, each: int) -> None:
    """Some of them are nobody's but its health check's and Prometheus's."""
    found = made("phase4-small", sizing={"preset": "small", "haproxy": {"memory": memory}})
    given = found.program("query-gateway").environment()
    most = (int(memory.removesuffix("MiB")) - 32) * 4
    assert (given["MAX_CONNECTIONS"], given["MAX_STORE_CONNECTIONS"]) == (str(most), str(each))
    assert most - OBSERVERS - len(PORTS) < each * len(PORTS) <= most - OBSERVERS
