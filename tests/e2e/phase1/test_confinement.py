"""The containers' confinement is really in force."""

from __future__ import annotations

import re

import pytest
from docker.errors import APIError
from docker.models.containers import Container

from components.images import CATALOGUE
from components.platform.docker import NETWORK
from components.settings import Settings
from tests.support.containers import archive
from tests.support.docker_site import Site
from tests.support.phase1 import PROGRAMS

pytestmark = pytest.mark.usefixtures("stack")
WITH_SHELL = ("jaeger", "prometheus", "grafana")


@pytest.mark.parametrize("name", PROGRAMS)
def test_memory_limits_are_in_force(site: Site, name: str) -> None:
    statistics = site.client.api.stats(name, stream=False, one_shot=True)
    assert statistics["memory_stats"]["limit"] == Settings().size.programs[PROGRAMS[name]].memory.bytes


def test_a_process_over_the_memory_limit_is_killed(site: Site) -> None:
    """In the container of Prometheus, which has a shell; Prometheus itself keeps running."""
    before = site.container("prometheus").attrs["State"]
    limit = Settings().size.programs["prometheus"].memory.bytes
    status, output = site.container("prometheus").exec_run(["tail", "-c", str(2 * limit), "/dev/zero"])
    assert status == 137, f"a process that takes more than {limit} bytes ended with {status}: {output!r}"
    after = site.container("prometheus").attrs["State"]
    assert (after["StartedAt"], after["Running"]) == (before["StartedAt"], True)


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_process_runs_as_root(site: Site, name: str) -> None:
    listed = site.container(name).top(ps_args="-eo uid,pid,args")
    assert {row[0] for row in listed["Processes"]} == {str(CATALOGUE[PROGRAMS[name]].uid)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_root_file_systems_are_read_only(site: Site, name: str) -> None:
    with pytest.raises(APIError, match="read-only"):
        site.container(name).put_archive("/", archive({"intruder": ""}))


@pytest.mark.parametrize("name", WITH_SHELL)
def test_no_capabilities_and_no_way_to_new_ones(site: Site, name: str) -> None:
    status = site.run(name, "cat", "/proc/1/status")
    granted = dict(re.findall(r"^(Cap\w+|NoNewPrivs):\s*(\w+)$", status, re.MULTILINE))
    assert granted.pop("NoNewPrivs") == "1"
    assert {int(capabilities, 16) for capabilities in granted.values()} == {0}


@pytest.mark.parametrize("name", WITH_SHELL)
def test_configuration_cannot_be_written(site: Site, name: str) -> None:
    mounts = site.container(name).attrs["Mounts"]
    assert [mount["RW"] for mount in mounts if "-config-" in mount["Name"]] == [False]


def test_only_what_must_be_reachable_is_published(site: Site) -> None:
    published = {
        (container.name, port)
        for container in site.client.containers.list(filters={"network": NETWORK})
        for port, bindings in published_ports(container).items()
        if bindings
    }
    assert published == {
        ("otel-collector", "4317/tcp"),
        ("otel-collector", "4318/tcp"),
        ("jaeger", "16686/tcp"),
        ("prometheus", "9090/tcp"),
        ("loki", "3100/tcp"),
        ("grafana", "3000/tcp"),
    }


def published_ports(container: Container) -> dict[str, object]:
    return dict(container.attrs["NetworkSettings"]["Ports"])
