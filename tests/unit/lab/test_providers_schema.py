from __future__ import annotations

from typing import Any

import pulumi_docker
import pulumi_random
import pytest

from tests.lab.providers import wire
from tests.lab.providers.schema import failures, record, resource_schema

CONTAINER = resource_schema(pulumi_docker.Container, pulumi_docker.ContainerArgs)


def _found(inputs: dict[str, Any]) -> dict[str, str]:
    return {item.path: item.reason for item in failures(CONTAINER.inputs, inputs)}


def test_a_right_container_has_no_failures() -> None:
    inputs = {
        "image": "sha256:0",
        "memory": 64,
        "mustRun": False,
        "envs": ["A=1"],
        "logOpts": {"max-size": "10m"},
        "ports": [{"internal": 80, "external": 8080, "ip": "127.0.0.1"}],
        "healthcheck": {"tests": ["CMD", "true"], "retries": 3, "interval": "10s"},
        "uploads": [{"file": "/a", "content": "text"}],
    }
    assert _found(inputs) == {}


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({"healthchek": {}}, "healthchek", "did you mean 'healthcheck'"),
        ({"memory": "64"}, "memory", "must be a whole number, not str"),
        ({"memory": 1.5}, "memory", "must be a whole number, not float"),
        ({"mustRun": "yes"}, "mustRun", "must be true or false"),
        ({"mustRun": 1}, "mustRun", "must be true or false"),
        ({"cpus": 1}, "cpus", "must be a string"),
        ({"envs": {"A": "1"}}, "envs", "must be a list"),
        ({"logOpts": {"max-file": 3}}, 'logOpts["max-file"]', "must be a string"),
        ({"logOpts": ["x"]}, "logOpts", "must be a mapping"),
        ({"ports": [{"internal": 1}, {"internal": "http"}]}, "ports[1].internal", "must be a whole number"),
        ({"ports": [{"external": 1}]}, "ports[0].internal", "is required and missing"),
        ({"uploads": [{"file": "/a", "contents": "x"}]}, "uploads[0].contents", "did you mean 'content'"),
        ({"healthcheck": []}, "healthcheck", "must be an object"),
        ({"healthcheck": {"test": ["CMD"]}}, "healthcheck.test", "did you mean 'tests'"),
        (
            {"mounts": [{"target": "/a", "type": "volume", "volumeOptions": {"noCopy": "x"}}]},
            "mounts[0].volumeOptions.noCopy",
            "must be true or false",
        ),
    ],
)
def test_what_the_official_schema_refuses(inputs: dict[str, Any], path: str, reason: str) -> None:
    found = _found({"image": "sha256:0", **inputs})
    assert list(found) == [path]
    assert reason in found[path]


def test_required_and_unknown_values() -> None:
    assert _found({}) == {"image": "is required and missing"}
    assert (
        _found({"image": wire.UNKNOWN, "memory": wire.UNKNOWN, "ports": [{"internal": wire.UNKNOWN}]}) == {}
    )


def test_outputs_that_always_have_a_value() -> None:
    assert {"networkDatas", "exitCode", "healthcheck", "envs", "labels"} <= CONTAINER.computed
    assert not {"memory", "mounts", "uploads", "networkMode", "mustRun"} & CONTAINER.computed
    password = resource_schema(pulumi_random.RandomPassword, pulumi_random.RandomPasswordArgs)
    assert "result" in password.computed
    assert password.inputs.required == {"length"}


def test_provider_settings() -> None:
    settings = record(pulumi_docker.ProviderArgs)
    good = {"host": "unix:///x", "registryAuth": [{"address": "r", "password": "p"}]}
    assert not list(failures(settings, good))
    assert [item.path for item in failures(settings, {"hosts": "x"})] == ["hosts"]
