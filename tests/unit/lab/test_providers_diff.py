from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.lab.providers import wire
from tests.lab.providers.docker.client import Connection
from tests.lab.providers.docker.container import Container
from tests.lab.providers.docker.network import Network
from tests.lab.providers.docker.remote_image import RemoteImage
from tests.lab.providers.docker.volume import Volume
from tests.lab.providers.resource import DEFAULTS_KEY, Resource

CONTAINER = Container(Connection(), threading.Event())

STATE: dict[str, Any] = {
    "attach": False,
    "capabilities": {"drops": ["NET_RAW", "SYS_ADMIN"]},
    "command": ["serve", "--all"],
    "envs": ["A=1", "B=2"],
    "healthcheck": {
        "tests": ["CMD", "check"],
        "interval": "10s",
        "timeout": "0s",
        "startPeriod": "0s",
        "startInterval": "0s",
        "retries": 3,
    },
    "image": "sha256:1",
    "labels": [{"label": "a", "value": "1"}, {"label": "b", "value": "2"}],
    "logOpts": {"max-size": "10m"},
    "memory": 64,
    "mustRun": True,
    "name": "app",
    "networkDatas": [{"networkName": "net", "ipAddress": "172.18.0.2"}],
    "networkMode": "bridge",
    "networksAdvanced": [{"name": "net", "aliases": ["x", "y"]}, {"name": "other"}],
    "ports": [{"internal": 80, "external": 8080, "ip": "0.0.0.0"}, {"internal": 81, "external": 8081}],
    "removeVolumes": True,
    "restart": "no",
    "start": True,
    "uploads": [{"file": "/a", "content": "1"}, {"file": "/b", "content": "2"}],
    "waitTimeout": 60,
}

NEWS: dict[str, Any] = {
    "capabilities": {"drops": ["SYS_ADMIN", "NET_RAW"]},
    "command": ["serve", "--all"],
    "envs": ["B=2", "A=1"],
    "healthcheck": {"tests": ["CMD", "check"], "interval": "10s", "retries": 3},
    "image": "sha256:1",
    "labels": [{"label": "b", "value": "2"}, {"label": "a", "value": "1"}],
    "logOpts": {"max-size": "10m"},
    "memory": 64,
    "name": "app",
    "networksAdvanced": [{"name": "other"}, {"name": "net", "aliases": ["y", "x"]}],
    "ports": [
        {"internal": 81, "external": 8081, "protocol": "tcp"},
        {"internal": 80, "external": 8080, "ip": "0.0.0.0"},
    ],
    "uploads": [{"file": "/b", "content": "2"}, {"file": "/a", "content": "1", "executable": False}],
}


def _paths(resource: Resource, state: dict[str, Any], news: dict[str, Any]) -> list[str]:
    return [change.path for change in resource.diff(state, news).changes]


def test_order_and_defaults_make_no_difference() -> None:
    assert _paths(CONTAINER, STATE, NEWS) == []


@pytest.mark.parametrize(
    "change",
    [
        {"image": "sha256:2"},
        {"command": ["--all", "serve"]},
        {"envs": ["A=1"]},
        {"uploads": [{"file": "/a", "content": "1"}, {"file": "/b", "content": "other"}]},
        {"uploads": [{"file": "/a", "content": "1"}]},
        {
            "ports": [
                {"internal": 80, "external": 8080},
                {"internal": 81, "external": 8081, "ip": "127.0.0.1"},
            ]
        },
        {"labels": [{"label": "a", "value": "1"}]},
        {"networksAdvanced": [{"name": "net", "aliases": ["x"]}, {"name": "other"}]},
        {"networkMode": "host"},
        {"readOnly": True},
        {"user": "10001"},
        {"cpus": "1.5"},
        {"stopTimeout": 30},
        {"mounts": [{"type": "volume", "target": "/a", "source": "v"}]},
        {"volumes": [{"containerPath": "/a", "volumeName": "v"}]},
        {"securityOpts": ["no-new-privileges:true"]},
        {"dns": ["1.1.1.1"]},
        {"hosts": [{"host": "a", "ip": "1.1.1.1"}]},
        {"name": "app2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_replaces(change: dict[str, Any]) -> None:
    diff = CONTAINER.diff(STATE, {**NEWS, **change})
    assert [(item.path, item.replaces) for item in diff.changes] == [(next(iter(change)), True)]
    assert diff.delete_before_replace


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"restart": "always"}, "restart"),
        ({"maxRetryCount": 3}, "maxRetryCount"),
        ({"cpuShares": 512}, "cpuShares"),
        ({"cpuSet": "0-1"}, "cpuSet"),
        ({"memory": 128}, "memory"),
        ({"memoryReservation": 32}, "memoryReservation"),
        ({"memorySwap": 64}, "memorySwap"),
        ({"mustRun": False}, "mustRun"),
        (
            {"healthcheck": {"tests": ["CMD", "check"], "interval": "20s", "retries": 3}},
            "healthcheck.interval",
        ),
        ({"healthcheck": {"tests": ["CMD", "other"], "interval": "10s", "retries": 3}}, "healthcheck.tests"),
        ({"tmpfs": {"/run": ""}}, "tmpfs"),
        ({"init": True}, "init"),
        ({"wait": True}, "wait"),
        ({"waitTimeout": 120}, "waitTimeout"),
        ({"rm": True}, "rm"),
        ({"start": False}, "start"),
        ({"removeVolumes": False}, "removeVolumes"),
        ({"destroyGraceSeconds": 30}, "destroyGraceSeconds"),
    ],
)
def test_what_does_not_replace(change: dict[str, Any], path: str) -> None:
    diff = CONTAINER.diff(STATE, {**NEWS, **change})
    assert [(item.path, item.replaces) for item in diff.changes] == [(path, False)]
    assert not diff.delete_before_replace


@pytest.mark.parametrize("name", ["healthcheck", "envs", "labels", "command"])
def test_computed_inputs_may_be_left_out(name: str) -> None:
    news = {key: value for key, value in NEWS.items() if key != name}
    assert _paths(CONTAINER, STATE, news) == []


def test_a_container_that_does_not_run_shows_as_a_change() -> None:
    assert _paths(CONTAINER, {**STATE, "mustRun": False}, NEWS) == ["mustRun"]
    assert _paths(CONTAINER, {**STATE, "mustRun": False}, {**NEWS, "mustRun": False}) == []


def test_durations_count_as_they_are_read_back() -> None:
    state = {**STATE, "healthcheck": {**STATE["healthcheck"], "interval": "1m0s"}}
    as_read = {**NEWS, "healthcheck": {**NEWS["healthcheck"], "interval": "1m0s"}}
    other_form = {**NEWS, "healthcheck": {**NEWS["healthcheck"], "interval": "60s"}}
    assert _paths(CONTAINER, state, as_read) == []
    assert _paths(CONTAINER, state, other_form) == ["healthcheck.interval"]


def test_kinds_and_names_of_map_entries() -> None:
    changed = CONTAINER.diff(STATE, {**NEWS, "logOpts": {"max-file": "3"}}).changes
    assert [(item.path, item.kind) for item in changed] == [
        ('logOpts["max-file"]', "add"),
        ('logOpts["max-size"]', "delete"),
    ]
    assert {item.property for item in changed} == {"logOpts"}


def test_unknown_values_are_changes() -> None:
    diff = CONTAINER.diff(STATE, {**NEWS, "image": wire.UNKNOWN})
    assert [(item.path, item.kind, item.replaces) for item in diff.changes] == [("image", "update", True)]


@pytest.mark.parametrize("resource", [Network(Connection()), Volume(Connection())], ids=lambda r: r.token)
def test_networks_and_volumes_replace(resource: Resource) -> None:
    state = {"name": "n", "driver": "local", "labels": []}
    news = {"name": "n", "labels": [{"label": "a", "value": "1"}]}
    named = resource.diff(state, news)
    assert [(item.path, item.replaces) for item in named.changes] == [("labels", True)]
    assert named.delete_before_replace
    assert not resource.diff(state, {**news, DEFAULTS_KEY: ["name"]}).delete_before_replace


def test_an_image_changes_its_name_in_place() -> None:
    resource = RemoteImage(Connection())
    state = {"name": "a:1", "imageId": "sha256:1", "repoDigest": "", "keepLocally": True}
    news = {"name": "a:2", "keepLocally": True}
    assert [(item.path, item.replaces) for item in resource.diff(state, news).changes] == [("name", False)]
    assert resource.updated(state, news)["imageId"] == "sha256:1"
    assert resource.diff(state, {**news, "pullTriggers": ["x"]}).changes[-1].replaces
