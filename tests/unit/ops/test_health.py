"""Health: what is read, and what counts as degraded or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import requests
from docker.errors import NotFound

from components.settings import Settings
from ops.docker.disk import disk_readings
from ops.docker.engine import DiskUsage, Engine
from ops.docker.readings import container_readings
from ops.health import report
from ops.health.model import EXIT_STATUS, Reading, Status, overall
from ops.health.pipeline import LOSSES, QUEUE_FILL, Mimir, Prometheus, pipeline_readings
from ops.health.programs import interface_readings, interfaces
from ops.inventory import Inventory
from ops.outputs import StackOutputs
from ops.sites.docker import DockerSite
from ops.units import amount

PROGRAMS = ("otel-collector", "jaeger", "loki")
DATA_VOLUMES = ("otel-storage", "jaeger-data", "loki-data", "kafka-data-1", "somebody-elses")
INVENTORY = Inventory(
    programs=PROGRAMS,
    probes={"otel-collector": "otel-collector-ready"},
    data_volumes=DATA_VOLUMES,
    kept_urns=(),
)
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
RUNNING = {"Status": "running", "Health": {"Status": "healthy"}}


def client_of(states: Mapping[str, Mapping[str, Any]]) -> Any:
    def get(name: str) -> SimpleNamespace:
        if name not in states:
            raise NotFound("no such container")
        return SimpleNamespace(attrs={"State": states[name]})

    return SimpleNamespace(containers=SimpleNamespace(get=get))


def all_running() -> dict[str, Mapping[str, Any]]:
    states: dict[str, Mapping[str, Any]] = dict.fromkeys(PROGRAMS, RUNNING)
    return {**states, "otel-collector": {"Status": "running"}, "otel-collector-ready": RUNNING}


def test_collector_is_as_healthy_as_its_probe_says() -> None:
    readings = list(container_readings(client_of(all_running()), INVENTORY, stack="dev"))
    assert {reading.status for reading in readings} == {"healthy"}
    unwell = {
        **all_running(),
        "otel-collector-ready": {"Status": "running", "Health": {"Status": "unhealthy"}},
    }
    collector = next(iter(container_readings(client_of(unwell), INVENTORY, stack="dev")))
    assert (collector.name, collector.status, collector.found) == (
        "otel-collector",
        "degraded",
        "running, unhealthy",
    )


@pytest.mark.parametrize(
    ("state", "found", "advice"),
    [
        (None, "no such container", "make up"),
        ({"Status": "paused"}, "paused", "docker unpause loki"),
        (
            {"Status": "exited", "ExitCode": 137, "OOMKilled": True},
            "status 137, killed for lack of",
            "docker logs",
        ),
        ({"Status": "restarting", "ExitCode": 1}, "restarting", "docker logs loki"),
        ({"Status": "running", "Health": {"Status": "starting"}}, "running, starting", "docker logs loki"),
        ({"Status": "running", "Health": {"Status": "unhealthy"}}, "unhealthy", "docker restart loki"),
        ({"Status": "running"}, "running, not probed", "docker logs loki"),
    ],
)
def test_program_that_is_not_well(state: Mapping[str, Any] | None, found: str, advice: str) -> None:
    states = {name: one for name, one in all_running().items() if name != "loki"}
    if state is not None:
        states["loki"] = state
    reading = next(
        one for one in container_readings(client_of(states), INVENTORY, stack="dev") if one.name == "loki"
    )
    assert reading.status == "degraded"
    assert found in reading.found
    assert advice in reading.advice


OUTPUTS = StackOutputs(
    {
        "contract_version": "1",
        "otlp_http_endpoint": "http://o:4318",
        "traces_query_url": "http://o:16686",
        "metrics_query_url": "http://o:9090",
        "logs_query_url": "http://o:3100",
        "grafana_url": "http://o:3000/",
        "traces_datasource_uid": "jaeger",
        "metrics_datasource_uid": "prometheus",
    }
)


def test_stack_that_is_down_is_degraded() -> None:
    down = replace(INVENTORY, programs=())
    (reading,) = container_readings(client_of({}), down, stack="dev")
    assert (reading.status, reading.found, reading.advice) == (
        "degraded",
        "the stack is down",
        "make up STACK=dev",
    )


def log_of(program: str) -> str:
    return f"log of {program}"


def http(handle: Any) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(handle))


def test_every_interface_is_asked() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url}")
        return httpx.Response(503 if request.url.path == "/ready" else 200)

    readings = {
        one.name: one for one in interface_readings(http(handle), interfaces(OUTPUTS), OUTPUTS, log_of)
    }
    assert set(readings) == {"OTLP/HTTP", "Jaeger", "Prometheus", "Loki", "Grafana"}
    assert "POST http://o:4318/v1/traces" in asked
    assert "GET http://o:3000/api/health" in asked
    assert [name for name, one in readings.items() if one.status != "healthy"] == ["Loki"]
    assert "HTTP 503" in readings["Loki"].found
    assert readings["Loki"].advice == "log of loki"


def prometheus(results: Mapping[str, Any], targets: list[dict[str, Any]] | None = None) -> Prometheus:
    """A Prometheus that knows targets, and results by a part of their expression."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/targets":
            return httpx.Response(200, json={"data": {"activeTargets": targets or []}})
        expression = request.url.params["query"]
        result: Any = next((value for part, value in results.items() if part in expression), [])
        return httpx.Response(200, json={"data": {"result": result}})

    return Prometheus(http(handle), "http://o:9090/")


def sample(value: float, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [0, str(value)]}


def target(job: str, health: str = "up", age: float = 5, error: str = "") -> dict[str, Any]:
    scraped = (NOW - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    return {
        "labels": {"job": job, "instance": "x:1"},
        "health": health,
        "lastScrape": scraped,
        "lastError": error,
    }


def read(area: str, found: Prometheus) -> list[Reading]:
    return [reading for reading in pipeline_readings(found, "15m", log_of, NOW) if reading.area == area]


def test_interfaces_of_phase_4() -> None:
    stores = {"traces_datasource_uid": "tempo", "metrics_datasource_uid": "mimir"}
    found = interfaces(StackOutputs({**OUTPUTS.values, **stores}))
    assert {"Tempo", "Mimir"} < found.keys()
    assert found["Mimir"].path == "/api/v1/status/buildinfo"


def test_a_log_is_that_of_the_program_behind_the_service() -> None:
    address = {"logs_query_url": "http://loki-read.observability.svc:3100"}
    assert interfaces(OUTPUTS)["Loki"].program == "loki"
    assert interfaces(StackOutputs({**OUTPUTS.values, **address}))["Loki"].program == "loki-read"


def test_scrapes_that_only_samples_tell_of() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        is_time = "timestamp(up" in request.url.params["query"]
        loki = sample(NOW.timestamp() - 5 if is_time else 1, job="loki", instance="l:1")
        tempo = sample(NOW.timestamp() - 5 if is_time else 0, job="tempo", instance="t:1")
        return httpx.Response(200, json={"data": {"result": [loki, tempo]}})

    readings = read("scrapes", Mimir(http(handle), "http://o/prometheus"))
    assert [(one.name, one.status) for one in readings] == [
        ("loki l:1", "healthy"),
        ("tempo t:1", "degraded"),
    ]


@pytest.mark.parametrize(
    ("one", "status", "found"),
    [
        (target("loki"), "healthy", "s ago"),
        (target("loki", health="down", error="connection refused"), "degraded", "connection refused"),
        (target("loki", age=600), "degraded", "last scrape 600 s ago"),
        (target("loki", health="unknown"), "unknown", "not scraped yet"),
    ],
)
def test_scrapes(one: dict[str, Any], status: Status, found: str) -> None:
    (reading,) = read("scrapes", prometheus({}, [one]))
    assert (reading.name, reading.status) == ("loki x:1", status)
    assert found in reading.found


@pytest.mark.parametrize("moment", ["2026-03-01T11:59:58Z", "2026-03-01T12:59:58.1+01:00"])
def test_scrape_times_are_read_as_go_writes_them(moment: str) -> None:
    (reading,) = read("scrapes", prometheus({}, [{**target("loki"), "lastScrape": moment}]))
    assert reading.found == "2 s ago"


@pytest.mark.parametrize(("share", "status"), [(0.0, "healthy"), (0.79, "healthy"), (0.8, "degraded")])
def test_queues(share: float, status: Status) -> None:
    fill = sample(share, job="otel-collector", exporter="otlp_http/loki")
    (reading,) = read("queues", prometheus({QUEUE_FILL: [fill]}))
    assert (reading.name, reading.status) == ("otlp_http/loki of otel-collector", status)
    assert reading.found == f"{share:.1%} full"


def test_queues_before_the_first_scrape_are_unknown() -> None:
    assert [reading.status for reading in read("queues", prometheus({}))] == ["unknown"]


def test_no_loss() -> None:
    readings = read("losses", prometheus({}))
    assert [reading.found for reading in readings] == ["none in 15m"] * len(LOSSES)
    assert {reading.status for reading in readings} == {"healthy"}


def test_loss_says_how_much_of_what_where() -> None:
    counts = {
        "send_failed_spans": [
            sample(12, job="otel-collector", exporter="otlp_grpc/jaeger"),
            sample(9, job="otel-gateway", exporter="kafka/traces"),
        ]
    }
    degraded = [one for one in read("losses", prometheus(counts)) if one.status == "degraded"]
    assert [one.found for one in degraded] == [
        "12 at otlp_grpc/jaeger of otel-collector spans in 15m",
        "9 at kafka/traces of otel-gateway spans in 15m",
    ]
    assert ["refuses the data for good" in one.advice for one in degraded] == [True, False]


def test_prometheus_that_is_away_makes_its_areas_unknown() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    readings = pipeline_readings(Prometheus(http(refuse), "http://o"), "15m", log_of, NOW)
    assert {(one.area, one.status) for one in readings} == {
        ("scrapes", "unknown"),
        ("queues", "unknown"),
        ("losses", "unknown"),
    }


def engine_with(sizes: Mapping[str, int], usage: DiskUsage | None) -> Engine:
    class Fake(Engine):
        def disk(self) -> DiskUsage | None:
            return usage

    volumes = [{"Name": name, "UsageData": {"Size": size}} for name, size in sizes.items()]
    client: Any = SimpleNamespace(df=lambda: {"Volumes": volumes})
    return Fake(client=client, host="", version="", memory=0, data_root="/data", mine=True)


def test_volumes_against_their_budget() -> None:
    settings = Settings.load({"sizing": {"loki": {"volume": "300GiB"}, "kafka": {"volume": "50GiB"}}})
    sizes = dict.fromkeys(DATA_VOLUMES, 1024) | {"loki-data": 290 * 2**30}
    usage = DiskUsage(total=1000 * 2**30, free=500 * 2**30)
    readings = {one.name: one for one in disk_readings(engine_with(sizes, usage), settings, DATA_VOLUMES)}
    assert [name for name, one in readings.items() if one.status != "healthy"] == ["loki-data"]
    assert readings["loki-data"].found == "290.0 GiB of 300.0 GiB (97%)"
    assert readings["kafka-data-1"].found == "1.0 KiB of 50.0 GiB (0%)"
    assert readings["somebody-elses"].found == "1.0 KiB"
    assert readings["/data"].found == "500.0 GiB free of 1000.0 GiB"


def test_missing_volume_is_unknown_and_a_full_disk_degraded() -> None:
    usage = DiskUsage(total=100 * 2**30, free=5 * 2**30)
    readings = {
        one.name: one for one in disk_readings(engine_with({}, usage), Settings.load({}), DATA_VOLUMES)
    }
    assert readings["loki-data"].status == "unknown"
    assert readings["/data"].status == "degraded"


def test_volumes_that_take_too_long_to_count_leave_the_programs_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def count() -> None:
        raise requests.exceptions.ReadTimeout("read timed out")

    client = client_of(all_running())
    client.df = count
    engine = Engine(client=client, host="unix:///x", version="29", memory=0, data_root="/data", mine=True)
    waited: list[int] = []

    def connect(_host: str, *, timeout: int) -> Engine:
        waited.append(timeout)
        return engine

    monkeypatch.setattr("ops.sites.docker.connect", connect)
    stack: Any = SimpleNamespace(name="dev", docker_host="unix:///x", settings=Settings.load({}))
    found = {one.name: one.status for one in DockerSite(stack).readings(INVENTORY)}
    assert found == {**dict.fromkeys(PROGRAMS, "healthy"), "volumes": "unknown"}
    assert waited[1] > waited[0]


def test_engine_elsewhere_has_no_disk_to_look_at() -> None:
    readings = disk_readings(engine_with({}, None), Settings.load({}), DATA_VOLUMES)
    assert {one.name for one in readings} == set(DATA_VOLUMES)


@pytest.mark.parametrize(
    ("statuses", "expected", "code"),
    [
        (["healthy"], "healthy", 0),
        (["healthy", "unknown"], "unknown", 2),
        (["unknown", "degraded", "healthy"], "degraded", 1),
        ([], "unknown", 2),
    ],
)
def test_overall(statuses: list[Status], expected: Status, code: int) -> None:
    readings = [Reading(area="a", name="b", status=status, found="") for status in statuses]
    assert overall(readings) == expected
    assert EXIT_STATUS[overall(readings)] == code
    assert report.as_dict(readings)["status"] == expected


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 * 2**20, "5.0 MiB"), (2**40, "1024.0 GiB")],
)
def test_amounts(size: int, text: str) -> None:
    assert amount(size) == text
