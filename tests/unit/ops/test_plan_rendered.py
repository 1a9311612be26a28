"""What ``ops plan`` prints, compared with what the program registers for the same rate."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ops.cli import app
from ops.plan import PRICES
from tests.support.manifests import Manifest, Program, Tree, tree
from tests.support.program import CONTAINER, run_program
from tests.support.variants import CLUSTER_VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS

MIB, GIB = 2**20, 2**30
SMALLEST: Mapping[int, Mapping[str, Any]] = {
    1: {},
    2: {"phase": 2},
    3: CLUSTER_VARIANTS["phase3-small"],
    4: OBJECT_VARIANTS["phase4-small"],
}
"""The settings of each phase that say nothing of sizes."""

SIZINGS: Mapping[int, Mapping[str, Any]] = {
    1_000: {"preset": "small"},
    10_000: {"preset": "medium"},
    50_000: {"preset": "large"},
    50_001: {"eventsPerSecond": 50_001},
    200_000: {"eventsPerSecond": 200_000},
}
"""Events per second -> how the settings say so."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Equal replicas; memory and volume in bytes."""

    replicas: int
    memory: int
    cpus: float
    volume: int


def plan(phase: int, rate: int, *options: str) -> dict[str, Any]:
    arguments = ("plan", "--phase", str(phase), "-n", str(rate), "--json", *options)
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 0, ended.output
    found: dict[str, Any] = json.loads(ended.output)
    return found


def planned(phase: int, rate: int) -> dict[str, Line]:
    programs = plan(phase, rate)["programs"]
    found = {
        one["name"]: Line(
            replicas=one["replicas"],
            memory=one["memoryBytes"],
            cpus=one["cpus"],
            volume=one["volumeBytes"],
        )
        for one in programs
    }
    assert len(found) == len(programs)
    return found


def settings(phase: int, rate: int) -> dict[str, Any]:
    return {**SMALLEST[phase], "sizing": SIZINGS[rate]}


def objects(phase: int, rate: int) -> Tree:
    config = settings(phase, rate)
    return tree(run_program(config), config)


def rendered(found: Tree) -> dict[str, Line]:
    """Read the manifests as a cluster would."""
    assert not found.of("PersistentVolumeClaim", "DaemonSet", "Job", "CronJob", "Pod")
    return {one.name: _line(found, one) for one in found.programs()}


def _line(found: Tree, program: Program) -> Line:
    limits = [one["resources"]["limits"] for one in program.pod["containers"]]
    claims = program.object["spec"].get("volumeClaimTemplates", [])
    return Line(
        replicas=replicas(found, program),
        memory=sum(_bytes(one["memory"]) for one in limits),
        cpus=sum(_cores(one["cpu"]) for one in limits),
        volume=sum(_bytes(one["spec"]["resources"]["requests"]["storage"]) for one in claims),
    )


def replicas(found: Tree, program: Program) -> int:
    """Give how many there are at least."""
    scaled = [one["spec"] for one in found.of("HorizontalPodAutoscaler")]
    bounds = [one["minReplicas"] for one in scaled if one["scaleTargetRef"]["name"] == program.name]
    return int(bounds[0] if bounds else program.object["spec"]["replicas"])


def must_be_apart(program: Program) -> bool:
    affinity = program.pod.get("affinity", {}).get("podAntiAffinity", {})
    terms: Iterable[Manifest] = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", [])
    return any(term["topologyKey"] == "kubernetes.io/hostname" for term in terms)


def _bytes(text: str) -> int:
    number, unit = text[:-2], text[-2:]
    return int(number) * {"Mi": MIB, "Gi": GIB}[unit]


def _cores(text: str) -> float:
    return int(text.removesuffix("m")) / 1000 if text.endswith("m") else float(text)


@pytest.mark.parametrize("rate", SIZINGS)
@pytest.mark.parametrize("phase", [3, 4])
def test_the_plan_of_a_cluster_is_what_its_manifests_ask_for(phase: int, rate: int, tmp_path: Path) -> None:
    found = objects(phase, rate)
    assert planned(phase, rate) == rendered(found)
    apart = max(replicas(found, one) for one in found.programs() if must_be_apart(one))
    for name, cpus, memory in (("small", 16, "64GiB"), ("huge", 4096, "64TiB")):
        prices = tmp_path / f"{name}.yaml"
        machine = {"name": name, "cpus": cpus, "memory": memory, "perHour": 1}
        table = {**yaml.safe_load(PRICES.read_text(encoding="utf-8")), "machines": [machine]}
        prices.write_text(yaml.safe_dump(table))
        count = plan(phase, rate, "--prices", str(prices))["machines"]["count"]
        assert count >= apart
        assert name != "huge" or count == max(3, apart)


@pytest.mark.parametrize("rate", [1_000, 10_000, 50_000])
@pytest.mark.parametrize("phase", [1, 2])
def test_the_plan_of_one_machine_is_what_its_containers_may_take(phase: int, rate: int) -> None:
    result = run_program(settings(phase, rate))
    running = [one for one in result.of(CONTAINER) if one.plain("cpus") is not None]
    number = Counter(re.sub(r"-\d+$", "", one.name) for one in running)
    kept = {one.name for one in result.resources if one.type == "docker:index/volume:Volume"}
    lines = planned(phase, rate)
    assert number == {name: line.replicas for name, line in lines.items()}
    for one in running:
        line = lines[re.sub(r"-\d+$", "", one.name)]
        assert (line.memory, line.cpus) == (one.plain("memory") * MIB, float(one.plain("cpus"))), one.name
        mounted = {volume.get("volumeName") for volume in one.plain("volumes") or []}
        data = {name for name in mounted & kept if "-config-" not in name}
        assert bool(data) == bool(line.volume), one.name


def test_what_a_plan_once_left_out() -> None:
    found = planned(4, 200_000)
    assert found["grafana"].volume == 0
    assert found["postgres-backup"] == Line(replicas=1, memory=384 * MIB, cpus=0.75, volume=5 * GIB)
    assert found["kafka-topics"] == Line(replicas=1, memory=384 * MIB, cpus=1, volume=0)
    without_data = [
        line
        for name, line in found.items()
        if name.startswith(("tempo-", "mimir-", "loki-")) and name != "loki-cluster"
    ]
    assert len(without_data) == 9
    assert sum(line.replicas for line in without_data) == 20
    assert sum(line.replicas * line.volume for line in without_data) == 155 * GIB
