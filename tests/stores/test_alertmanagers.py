"""Prometheus of phases 1 to 3 with Alertmanagers: which it tells, and what it counts of one that is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.lab import cache
from tests.stores.making import write
from tests.stores.replicas import Running, start
from tests.support.checkers import files_of
from tests.support.ports import free_ports
from tests.support.program import run_program
from tests.support.recorder import Sent, recorder
from tests.support.waiting import until

TOLD_SECONDS = 60.0
THERE, GONE = "there.example.com:9093", "gone.example.com:9093"
"""As the settings name them; a loopback address they would not take."""
SETTINGS = {
    "environment": "staging",
    "alerting": {"alertmanagers": [f"http://{GONE}/team", f"http://{THERE}/team/"]},
}


@pytest.fixture
def rendered() -> dict[str, str]:
    return dict(files_of(run_program(SETTINGS), "prometheus"))


def run(folder: Path, port: int) -> Running:
    """Start Prometheus on the files in a folder."""
    command = [
        str(cache.binary("prometheus")),
        f"--config.file={folder}/prometheus.yaml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    return start("prometheus", command, folder, {})


def alerts(sent: list[Sent]) -> Iterator[dict[str, str]]:
    """Give the labels of every alert that has arrived."""
    for one in sent:
        assert one.path == "/team/api/v2/alerts"
        yield from (alert["labels"] for alert in json.loads(one.body))


def dropped(port: int) -> list[str]:
    """Give the lines of the series on which the alert about notifications looks, but those that are 0."""
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text.splitlines()
    series = "prometheus_notifications_dropped_total{"
    return [line for line in lines if line.startswith(series) and not line.endswith(" 0")]


def test_a_firing_alert_arrives_though_another_alertmanager_is_gone(
    rendered: dict[str, str], tmp_path: Path
) -> None:
    own, nobody = free_ports(2)
    with recorder() as (url, sent):
        there, gone = url.removeprefix("http://"), f"127.0.0.1:{nobody}"
        text = rendered["prometheus.yaml"].replace(THERE, there).replace(GONE, gone)
        write({**rendered, "prometheus.yaml": text}, tmp_path)
        prometheus = run(tmp_path, own)
        try:
            (watchdog,) = until(
                "the Watchdog to arrive",
                lambda: [labels for labels in alerts(sent) if labels["alertname"] == "Watchdog"][:1],
                seconds=TOLD_SECONDS,
            )
            (counted,) = until("what is dropped to be counted", lambda: dropped(own), seconds=TOLD_SECONDS)
        finally:
            prometheus.end()
    assert (watchdog["environment"], watchdog["severity"]) == ("staging", "none")
    assert f'{{alertmanager="http://{gone}/team/api/v2/alerts"}}' in counted
