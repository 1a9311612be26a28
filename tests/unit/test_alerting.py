"""Who is notified of alerts in phases 1 to 3: what is taken, rendered and warned of."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.settings import Settings, SettingsError
from tests.support.checkers import files_of
from tests.support.made import made
from tests.support.program import run_program
from tests.support.settings_phase3 import cluster
from tests.support.variants_phase4 import OBJECT_VARIANTS

URL = "http://alertmanager.monitoring.svc:9093"
OPERATOR = cluster(monitoring="prometheus-operator")
UNHEARD = (
    "alerting.alertmanagers: []: alerts are sent to nobody; name an Alertmanager, or watch Grafana yourself"
)


def alerting(*urls: str) -> dict[str, Any]:
    return {"alerting": {"alertmanagers": list(urls)}}


def prometheus_of(settings: dict[str, Any]) -> dict[str, Any]:
    """Give the configuration of the Prometheus of a stack on Docker."""
    files = files_of(run_program(settings), "prometheus")
    found: dict[str, Any] = yaml.safe_load(files["prometheus.yaml"])
    return found


@pytest.mark.parametrize(
    "url",
    [
        "http://alertmanager",
        "http://192.0.2.7:9093/",
        "https://alerts.example.com",
        "https://alerts.example.com:8443/monitoring/team_a/",
    ],
)
def test_addresses_of_alertmanagers_are_taken(url: str) -> None:
    assert Settings.load(alerting(url)).alerting.alertmanagers == (url,)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        *(
            (url, "write http:// or https://, then host[:port][/path], without user, password and query")
            for url in (
                "alertmanager:9093",
                "ftp://alertmanager",
                "http://",
                "http://alertmanager:65536",
                "https://ops:hunter2@alerts.example.com",
                "https://ops@alerts.example.com",
                "https://alerts.example.com/?token=hunter2",
                "https://alerts.example.com/a b",
                "https://alerts.example.com/#top",
            )
        ),
        *(
            (url, "to Prometheus this is its own container; write a name or address that it can reach")
            for url in ("http://localhost:9093", "http://127.0.0.1:9093", "https://127.1.2.3/alerts")
        ),
    ],
)
def test_other_addresses_are_refused(url: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load(alerting("http://alertmanager:9093", url))
    assert f"alerting.alertmanagers.1: {url!r}: {words}" in str(refused.value)


@pytest.mark.parametrize("url", ["http://alertmanager:9093", "http://a.alertmanager-headless:9093"])
def test_on_kubernetes_they_have_whole_names(url: str) -> None:
    """A name without a namespace would be one of the stack's own to its network policies."""
    with pytest.raises(SettingsError, match=r"alerting\.alertmanagers: .*write host\.namespace\.svc"):
        Settings.load({**cluster(), **alerting(url)})
    assert Settings.load({"phase": 2, **alerting(url)})


@pytest.mark.parametrize("phase", [1, 2])
def test_prometheus_is_told_of_them_by_scheme_and_path_in_their_order(phase: int) -> None:
    urls = [
        "https://b.example.com/team/",
        "http://z:9093",
        "https://a.example.com:8443/team",
        "http://alertmanager/",
        "https://a.example.com",
    ]
    assert prometheus_of({"phase": phase, **alerting(*urls)})["alerting"] == {
        "alertmanagers": [
            {
                "scheme": "https",
                "path_prefix": "/team",
                "api_version": "v2",
                "static_configs": [{"targets": ["b.example.com:443", "a.example.com:8443"]}],
            },
            {
                "scheme": "http",
                "path_prefix": "/",
                "api_version": "v2",
                "static_configs": [{"targets": ["z:9093", "alertmanager:80"]}],
            },
            {
                "scheme": "https",
                "path_prefix": "/",
                "api_version": "v2",
                "static_configs": [{"targets": ["a.example.com:443"]}],
            },
        ]
    }


def test_without_any_prometheus_is_told_nothing() -> None:
    assert "alerting" not in prometheus_of({})


def test_on_kubernetes_prometheus_alone_may_connect_to_their_ports() -> None:
    found, before = (
        made("phase3-external-kafka", **sections)
        for sections in (alerting(URL, "https://alerts.example.com/team"), {})
    )
    rule = {"ports": [{"protocol": "TCP", "port": port} for port in (443, 9000, 9093, 9094)]}
    opened, closed = (
        {
            policy["metadata"]["name"]: policy["spec"]["egress"]
            for policy in one.of("NetworkPolicy")
            if "egress" in policy["spec"]
        }
        for one in (found, before)
    )
    assert [name for name in opened if opened[name] != closed[name]] == ["prometheus-egress"]
    assert [one for one in opened["prometheus-egress"] if one not in closed["prometheus-egress"]] == [rule]


def test_prometheus_sends_nothing_where_it_only_keeps_history_in_phase_4() -> None:
    """Mimir evaluates the same rules, and notifies."""
    found = made("phase4-history", **alerting(URL))
    assert "alerting" not in found.document("prometheus", "prometheus.yaml")


@pytest.mark.parametrize("settings", [{"phase": 2}, cluster()], ids=["phase 2", "phase 3"])
def test_a_stack_that_tells_nobody_is_warned_of(settings: dict[str, Any]) -> None:
    assert Settings.load(settings).warnings() == [UNHEARD]
    assert Settings.load({**settings, **alerting(URL)}).warnings() == []


def test_on_one_node_it_is_not() -> None:
    assert Settings.load({}).warnings() == []


def test_where_the_operators_prometheus_notifies_the_stacks_own_need_not() -> None:
    assert Settings.load(OPERATOR).warnings() == []
    (found,) = Settings.load({**OPERATOR, **alerting(URL)}).warnings()
    assert found.startswith("alerting.alertmanagers: set: under kubernetes.monitoring: prometheus-operator ")
    (found,) = Settings.load({**OBJECT_VARIANTS["phase4-small"], **OPERATOR, "phase": 4}).warnings()
    assert found.startswith("alerting.contactPoints: []: ")
