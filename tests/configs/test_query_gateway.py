"""The query gateway passes on what Grafana and readers ask, and refuses what changes or stops a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest

from components.images import CATALOGUE
from components.load_balancer import CONFIG_DIRECTORY, OBSERVE_PORT
from components.query_gateway import PORTS
from components.values.documents import texts
from tests.support.containers import archive
from tests.support.docker_engine import Engine
from tests.support.waiting import until

PASSED = httpx.codes.SERVICE_UNAVAILABLE
"""What HAProxy answers for a store that is not there."""

STORES = dict.fromkeys(("TEMPO", "LOKI", "MIMIR", "ALERTMANAGER"), "nowhere:1")

LONG = "%7Cprod-eu-west-1".join(["checkout-service"] * 1_900)
"""A variable with many values, written out: 60 KiB."""

SILENCE = "0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"

QUERIES = [
    ("tempo", "GET", "/api/traces/0123456789abcdef0123456789abcdef"),
    ("tempo", "GET", "/api/v2/traces/0123456789abcdef0123456789abcdef"),
    ("tempo", "GET", "/api/search?q=%7B%7D"),
    ("tempo", "GET", "/api/v2/search/tag/resource.service.name/values"),
    ("tempo", "GET", "/api/v2/search/tag/span.http%2Froute/values"),
    ("tempo", "GET", "/api/metrics/query_range?q=%7B%7D%7Crate()"),
    ("tempo", "GET", "/api/echo"),
    ("tempo", "GET", "/ready"),
    ("loki", "GET", "/loki/api/v1/query_range?query=%7B%7D"),
    ("loki", "GET", f"/loki/api/v1/query_range?query={LONG}"),
    ("loki", "POST", "/loki/api/v1/query"),
    ("loki", "GET", "/loki/api/v1/labels"),
    ("loki", "GET", "/loki/api/v1/label/service_name/values"),
    ("loki", "GET", "/loki/api/v1/series"),
    ("loki", "GET", "/loki/api/v1/index/volume_range"),
    ("loki", "GET", "/loki/api/v1/detected_fields"),
    ("loki", "GET", "/loki/api/v1/patterns"),
    ("loki", "GET", "/loki/api/v1/tail?query=%7B%7D"),
    ("loki", "GET", "/loki/api/v1/rules"),
    ("loki", "GET", "/prometheus/api/v1/rules"),
    ("loki", "GET", "/prometheus/api/v1/alerts"),
    ("loki", "GET", "/ready"),
    ("mimir", "POST", "/prometheus/api/v1/query_range"),
    ("mimir", "GET", "/prometheus/api/v1/query?query=up"),
    ("mimir", "GET", "/prometheus/api/v1/status/buildinfo"),
    ("mimir", "POST", "/prometheus/api/v1/labels"),
    ("mimir", "POST", "/prometheus/api/v1/read"),
    ("mimir", "HEAD", "/prometheus/api/v1/query?query=up"),
    ("mimir", "GET", "/prometheus/config/v1/rules"),
    ("mimir", "GET", "/alertmanager/"),
    ("mimir", "GET", "/alertmanager/api/v2/status"),
    ("mimir", "GET", "/alertmanager/api/v2/alerts"),
    ("mimir", "GET", "/alertmanager/api/v2/alerts/groups"),
    ("mimir", "GET", "/alertmanager/api/v2/silences"),
    ("mimir", "HEAD", "/alertmanager/api/v2/silences"),
    ("mimir", "POST", "/alertmanager/api/v2/silences"),
    ("mimir", "GET", f"/alertmanager/api/v2/silence/{SILENCE}"),
    ("mimir", "DELETE", f"/alertmanager/api/v2/silence/{SILENCE}"),
]

RULE_CHANGES = [
    ("mimir", "POST", "/prometheus/config/v1/rules/team"),
    ("mimir", "DELETE", "/prometheus/config/v1/rules/team"),
    ("mimir", "DELETE", "/prometheus/config/v1/rules/team/group"),
]

OTHERS = [
    ("tempo", "GET", "/shutdown"),
    ("tempo", "GET", "/flush"),
    ("tempo", "GET", "/status/config"),
    ("tempo", "POST", "/api/overrides"),
    ("tempo", "DELETE", "/api/overrides"),
    ("tempo", "GET", "/api/../shutdown"),
    ("tempo", "GET", "/api/%2e%2e/shutdown"),
    ("tempo", "GET", "//shutdown"),
    ("loki", "POST", "/ingester/shutdown"),
    ("loki", "GET", "/ingester/shutdown"),
    ("loki", "POST", "/ingester/prepare_shutdown"),
    ("loki", "POST", "/flush"),
    ("loki", "POST", "/loki/api/v1/push"),
    ("loki", "POST", "/otlp/v1/logs"),
    ("loki", "POST", "/loki/api/v1/delete"),
    ("loki", "GET", "/loki/api/v1/delete"),
    ("loki", "POST", "/loki/api/v1/rules/team"),
    ("loki", "DELETE", "/loki/api/v1/rules/team"),
    ("loki", "DELETE", "/loki/api/v1/series"),
    ("loki", "GET", "/loki/api/v1/query/../../../../ingester/shutdown"),
    ("loki", "GET", "/loki/api/v1/query/%2E%2e/%2e%2e/%2e%2e/%2e%2e/ingester/shutdown"),
    ("loki", "POST", "/log_level?log_level=debug"),
    ("loki", "GET", "/config"),
    ("mimir", "POST", "/compactor/delete_tenant"),
    ("mimir", "POST", "/ingester/shutdown"),
    ("mimir", "POST", "/ingester/flush"),
    ("mimir", "POST", "/api/v1/push"),
    ("mimir", "POST", "/otlp/v1/metrics"),
    ("mimir", "POST", "/api/v1/alerts"),
    ("mimir", "DELETE", "/api/v1/alerts"),
    ("mimir", "POST", "/alertmanager/api/v2/alerts"),
    ("mimir", "PUT", "/alertmanager/api/v2/alerts"),
    ("mimir", "POST", "/alertmanager/api/v1/alerts"),
    ("mimir", "POST", "/alertmanager/api/v2/%61lerts"),
    ("mimir", "POST", "/alertmanager/api/v2/silences/../alerts"),
    ("mimir", "POST", "/alertmanager/api/v2/silences/"),
    ("mimir", "DELETE", "/alertmanager/api/v2/silences"),
    ("mimir", "POST", f"/alertmanager/api/v2/silence/{SILENCE}"),
    ("mimir", "POST", "/alertmanager/-/reload"),
    ("mimir", "PUT", "/prometheus/config/v1/rules/team"),
    ("mimir", "POST", "/prometheus/config/v1/other"),
    ("mimir", "DELETE", "/prometheus/api/v1/series"),
    ("mimir", "POST", "/prometheus/../ingester/shutdown"),
    ("mimir", "POST", "/alertmanager/%2e%2e/compactor/delete_tenant"),
    ("mimir", "GET", "/config"),
]


@pytest.fixture(scope="module")
def gateway(docker_engine: Engine) -> Iterator[Mapping[str, str]]:
    """Where Mimir has its rules from files."""
    with running(docker_engine, "files") as urls:
        yield urls


@pytest.fixture(scope="module")
def open_to_rules(docker_engine: Engine) -> Iterator[Mapping[str, str]]:
    """Where Mimir takes rules from its API."""
    with running(docker_engine, "api") as urls:
        yield urls


@contextmanager
def running(docker_engine: Engine, rules: str) -> Iterator[Mapping[str, str]]:
    """Run a gateway, and give its addresses by store; none of the stores is there."""
    image = CATALOGUE["haproxy"].reference
    docker_engine.provide([image])
    inside = {**PORTS, "observe": OBSERVE_PORT}
    container = docker_engine.client.containers.create(
        image,
        entrypoint=["/bin/sh", f"{CONFIG_DIRECTORY}/query-gateway.sh"],
        command=[],
        environment={**STORES, "MIMIR_RULES": rules},
        ports={f"{port}/tcp": (docker_engine.address, 0) for port in inside.values()},
    )
    try:
        container.put_archive(CONFIG_DIRECTORY, archive(texts("haproxy", "query-gateway.*")))
        container.start()
        container.reload()
        published = container.attrs["NetworkSettings"]["Ports"]
        urls = {
            name: f"http://{docker_engine.address}:{published[f'{port}/tcp'][0]['HostPort']}"
            for name, port in inside.items()
        }

        def is_ready() -> bool:
            return httpx.get(f"{urls['observe']}/healthz").is_success

        until("the query gateway", is_ready, seconds=30, forgive=(httpx.HTTPError,))
        yield urls
    finally:
        container.remove(force=True)


def ask(url: str, method: str, path: str) -> httpx.Response:
    """Send a path as it is written: clients that fold ``..`` are not those that anybody need fear."""
    target = httpx.URL(url).copy_with(raw_path=path.encode())
    return httpx.request(method, target)


@pytest.mark.parametrize(("store", "method", "path"), QUERIES)
def test_queries_pass(gateway: Mapping[str, str], store: str, method: str, path: str) -> None:
    assert ask(gateway[store], method, path).status_code == PASSED


@pytest.mark.parametrize(("store", "method", "path"), RULE_CHANGES)
def test_rules_are_changed_where_mimir_takes_them(
    open_to_rules: Mapping[str, str], store: str, method: str, path: str
) -> None:
    assert ask(open_to_rules[store], method, path).status_code == PASSED


@pytest.mark.parametrize(("store", "method", "path"), [one for one in OTHERS if one[0] == "mimir"])
def test_nothing_else_is_then_changed(
    open_to_rules: Mapping[str, str], store: str, method: str, path: str
) -> None:
    assert ask(open_to_rules[store], method, path).status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize(("store", "method", "path"), [*OTHERS, *RULE_CHANGES])
def test_nothing_else_does(gateway: Mapping[str, str], store: str, method: str, path: str) -> None:
    answer = ask(gateway[store], method, path)
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "docs/security.md" in answer.text


def test_its_metrics_are_all_that_it_shows_of_itself(gateway: Mapping[str, str]) -> None:
    assert "haproxy_frontend_http_requests_total" in httpx.get(f"{gateway['observe']}/metrics").text
    assert httpx.get(f"{gateway['observe']}/stats").status_code == httpx.codes.FORBIDDEN
