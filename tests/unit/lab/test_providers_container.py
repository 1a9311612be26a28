from __future__ import annotations

from typing import Any

import pulumi_docker
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.providers import wire
from tests.lab.providers.docker import container_request, container_rules, container_state, durations
from tests.lab.providers.errors import ProviderError
from tests.lab.providers.schema import failures, resource_schema

SCHEMA = resource_schema(pulumi_docker.Container, pulumi_docker.ContainerArgs)

ONE_OF_EACH: dict[str, Any] = {
    "capabilities": {"adds": ["NET_ADMIN"], "drops": ["ALL"]},
    "cgroupParent": "/x",
    "cgroupnsMode": "private",
    "command": ["a"],
    "cpuPeriod": 100000,
    "cpuQuota": 50000,
    "cpuSet": "0",
    "cpuShares": 10,
    "cpus": "0.5",
    "dns": ["1.1.1.1"],
    "dnsOpts": ["ndots:1"],
    "dnsSearches": ["x"],
    "domainname": "d",
    "entrypoints": ["e"],
    "envs": ["A=1"],
    "groupAdds": ["1"],
    "healthcheck": {"tests": ["CMD", "x"], "interval": "1m30s", "retries": 2},
    "hostname": "h",
    "hosts": [{"host": "a", "ip": "1.1.1.1"}],
    "init": True,
    "ipcMode": "private",
    "labels": [{"label": "a", "value": "1"}],
    "logDriver": "json-file",
    "logOpts": {"max-size": "10m"},
    "maxRetryCount": 3,
    "memory": 64,
    "memoryReservation": 32,
    "memorySwap": -1,
    "mounts": [
        {"type": "volume", "target": "/v", "source": "v", "volumeOptions": {"noCopy": True}},
        {"type": "tmpfs", "target": "/t", "tmpfsOptions": {"sizeBytes": 1024, "mode": 448}},
    ],
    "networkMode": "none",
    "pidMode": "host",
    "ports": [{"internal": 80, "external": 8080}],
    "privileged": True,
    "publishAllPorts": True,
    "readOnly": True,
    "restart": "always",
    "rm": True,
    "runtime": "runc",
    "securityOpts": ["no-new-privileges:true"],
    "shmSize": 64,
    "stdinOpen": True,
    "stopSignal": "SIGINT",
    "stopTimeout": 30,
    "storageOpts": {"size": "1G"},
    "sysctls": {"net.core.somaxconn": "1"},
    "tmpfs": {"/run": "rw"},
    "tty": True,
    "ulimits": [{"name": "nofile", "soft": 1, "hard": 2}],
    "user": "10001",
    "usernsMode": "host",
    "volumes": [{"containerPath": "/d", "volumeName": "v", "readOnly": True}],
    "workingDir": "/w",
}

BESIDES_THE_REQUEST = {
    "containerReadRefreshTimeoutMilliseconds",
    "destroyGraceSeconds",
    "image",
    "mustRun",
    "name",
    "networksAdvanced",
    "platform",
    "removeVolumes",
    "start",
    "uploads",
    "wait",
    "waitTimeout",
}


def test_every_official_property_is_accounted_for() -> None:
    assert ONE_OF_EACH.keys() | BESIDES_THE_REQUEST | container_rules.NOT_MODELLED == set(
        SCHEMA.inputs.properties
    )


@pytest.mark.parametrize("name", sorted(ONE_OF_EACH))
def test_every_modelled_property_reaches_the_engine(name: str) -> None:
    inputs = {"image": "i", name: ONE_OF_EACH[name]}
    assert not list(failures(SCHEMA.inputs, inputs))
    assert not list(container_rules.failures(inputs))
    assert container_request.body(inputs) != container_request.body({"image": "i"})


def test_the_request_in_the_engines_terms() -> None:
    body = container_request.body({"image": "i", **ONE_OF_EACH})
    host = body["HostConfig"]
    assert host["NanoCpus"] == 500_000_000
    assert (host["Memory"], host["MemoryReservation"], host["MemorySwap"]) == (64 << 20, 32 << 20, -1)
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}
    assert body["ExposedPorts"] == {"80/tcp": {}}
    assert host["Binds"] == ["v:/d:ro"]
    assert host["Mounts"][0]["VolumeOptions"] == {"NoCopy": True}
    assert host["Mounts"][1]["TmpfsOptions"] == {"SizeBytes": 1024, "Mode": 448}
    assert host["RestartPolicy"] == {"Name": "always", "MaximumRetryCount": 3}
    assert body["Healthcheck"] == {"Test": ["CMD", "x"], "Interval": 90_000_000_000, "Retries": 2}


def test_the_rules_name_official_properties_only() -> None:
    names = set(SCHEMA.inputs.properties)
    tables = container_rules.UPDATED_IN_PLACE | container_rules.IGNORED | container_rules.NOT_MODELLED
    assert tables <= names
    assert {path.partition(".")[0] for path in container_rules.DEFAULTS} <= names


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"restart": "sometimes"}, "restart"),
        ({"cpuSet": "all"}, "cpuSet"),
        ({"cpus": "lots"}, "cpus"),
        ({"cpus": "-1"}, "cpus"),
        ({"healthcheck": {"tests": ["x"], "interval": "10"}}, "healthcheck.interval"),
        ({"volumes": [{"volumeName": "v"}]}, "volumes[0]"),
        ({"volumes": [{"containerPath": "/a", "fromContainer": "c"}]}, "volumes[0]"),
        ({"uploads": [{"file": "/a", "content": ""}]}, "uploads[0]"),
        ({"networksAdvanced": [{"name": "n", "gwPriority": 1}]}, "networksAdvanced[0].gwPriority"),
    ],
)
def test_what_the_types_cannot_say(inputs: dict[str, Any], path: str) -> None:
    assert [item.path for item in container_rules.failures(inputs)] == [path]


def test_unknown_values_are_not_judged() -> None:
    names = ("restart", "cpuSet", "cpus", "healthcheck", "volumes", "uploads", "networksAdvanced")
    assert not list(container_rules.failures(dict.fromkeys(names, wire.UNKNOWN)))


def test_what_an_old_engine_cannot_do_is_refused() -> None:
    inputs = {"healthcheck": {"tests": ["x"], "startInterval": "1s"}}
    with pytest.raises(ProviderError, match=r"'startInterval' needs Docker API 1\.44.*speaks 1\.41"):
        container_rules.require_api(inputs, "1.41")
    container_rules.require_api(inputs, "1.44")


def _inspected(**state: Any) -> dict[str, Any]:
    return {
        "Name": "/app",
        "Image": "sha256:1",
        "Config": {"Image": "app:1", "Healthcheck": {"Test": ["CMD", "x"], "Interval": 60_000_000_000}},
        "HostConfig": {
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "LogConfig": {"Type": "json-file"},
            "Memory": 64 << 20,
            "MemorySwap": -1,
        },
        "State": {"Running": True, "ExitCode": 0, **state},
        "NetworkSettings": {"Networks": {}},
    }


def test_the_state_is_read_back() -> None:
    outputs = container_state.outputs({"image": "sha256:1", "memorySwap": 64}, _inspected())
    assert outputs["image"] == "sha256:1"
    assert outputs["name"] == "app"
    assert outputs["memory"] == 64
    assert outputs["memorySwap"] == 64
    assert outputs["healthcheck"]["interval"] == "1m0s"
    assert outputs["mustRun"] is True
    assert "exitCode" not in outputs
    assert container_state.outputs({"image": "app:1"}, _inspected())["image"] == "app:1"


def test_a_stopped_container_is_not_as_it_must_be() -> None:
    outputs = container_state.outputs({"mustRun": True}, _inspected(Running=False, ExitCode=3))
    assert (outputs["mustRun"], outputs["exitCode"]) == (False, 3)


@pytest.mark.parametrize(
    ("text", "nanoseconds", "read_back"),
    [
        ("0s", 0, "0s"),
        ("10s", 10 * 10**9, "10s"),
        ("60s", 60 * 10**9, "1m0s"),
        ("1m30s", 90 * 10**9, "1m30s"),
        ("1h", 3600 * 10**9, "1h0m0s"),
        ("1.5s", 15 * 10**8, "1.5s"),
        ("500ms", 5 * 10**8, "500ms"),
        ("1500us", 15 * 10**5, "1.5ms"),
        ("15us", 15000, "15µs"),
    ],
)
def test_durations(text: str, nanoseconds: int, read_back: str) -> None:
    assert durations.parse(text) == nanoseconds
    assert durations.render(nanoseconds) == read_back


@given(st.integers(min_value=0, max_value=10**16))
def test_a_duration_read_back_is_the_same_duration(nanoseconds: int) -> None:
    assert durations.parse(durations.render(nanoseconds)) == nanoseconds


@pytest.mark.parametrize("text", ["", "10", "s", "1d", "1 s", "-1s", "1s2"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration like"):
        durations.parse(text)
