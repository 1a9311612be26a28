"""Simulated nodes: the scheduler sees them, but pods on them run in name only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.lab import gobuild, programs, store
from tests.lab.cluster import components, kubectl, layout, processes
from tests.lab.cluster_programs import KWOK
from tests.lab.errors import LabError
from tests.lab.progress import say_busy, step

LABEL = "type=kwok"
TAINT = "kwok.x-k8s.io/node"
"""Only pods that tolerate it land on simulated nodes."""
MOST_NODES = 250
"""The pods' network has a /24 for each of 256 nodes."""
_STAGES = Path(__file__).parent / "simulator" / "stages.yaml"
_DEADLINE_SECONDS = 120.0


def apply(*, count: int, zones: int, cpu: str, memory: str) -> None:
    """Make the simulated nodes of the cluster exactly these, spread over the zones in turn; 0 removes all.

    The first time, this builds the simulator, which takes some two minutes.

    ``cpu`` and ``memory`` are what each node has, as Kubernetes writes quantities.

    Raises:
        LabError: when the cluster is not up, or the nodes are not ready in time.
    """
    if not processes.is_running(components.API_SERVER):
        raise LabError("the cluster is not up. Run: python -m tests.lab cluster up")
    simulator = _built() if count else None
    with step(f"{count} simulated nodes"):
        wanted = [node(number, zones, cpu, memory) for number in range(1, count + 1)]
        _remove_others({str(item["metadata"]["name"]) for item in wanted})
        if simulator is None:
            processes.stop(components.SIMULATOR)
            return
        processes.start(components.SIMULATOR, _command(simulator))
        kubectl.apply(yaml.safe_dump_all(wanted))
        _wait_until_ready(count)


def node(number: int, zones: int, cpu: str, memory: str) -> dict[str, Any]:
    """One simulated node; its zone follows from its number."""
    zone = f"zone-{(number - 1) % zones + 1}"
    name = f"otel-sim-{number:03d}"
    label, _, value = LABEL.partition("=")
    resources = {"cpu": cpu, "memory": memory, "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {TAINT: "fake", "node.alpha.kubernetes.io/ttl": "0"},
            "labels": {
                label: value,
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/region": "lab",
                "topology.kubernetes.io/zone": zone,
            },
        },
        "spec": {"taints": [{"key": TAINT, "value": "fake", "effect": "NoSchedule"}]},
        "status": {"allocatable": resources, "capacity": resources},
    }


def _built() -> Path:
    folder = programs.program_folder(KWOK.name, KWOK.version)
    if not store.is_done(folder, KWOK.recipe):
        with store.lock(say_busy):
            gobuild.build(KWOK)
            gobuild.clean()
    return folder / components.SIMULATOR


def _command(simulator: Path) -> list[str | Path]:
    return [
        simulator,
        f"--kubeconfig={layout.kubeconfig()}",
        f"--config={_STAGES}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={TAINT}=fake",
        "--node-lease-duration-seconds=40",
        f"--cidr={layout.CLUSTER_NETWORK}",
    ]


def _remove_others(wanted: set[str]) -> None:
    surplus = sorted(_names() - wanted)
    if surplus:
        kubectl.run("delete", "node", "--wait=false", *surplus)


def _names() -> set[str]:
    path = "jsonpath={.items[*].metadata.name}"
    return set(kubectl.run("get", "nodes", "-l", LABEL, "-o", path).split())


def _ready() -> int:
    path = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'
    return kubectl.run("get", "nodes", "-l", LABEL, "-o", path).split().count("True")


def _wait_until_ready(count: int) -> None:
    polls = Retrying(
        retry=retry_if_result(lambda ready: ready < count),
        wait=wait_fixed(1),
        stop=stop_after_delay(_DEADLINE_SECONDS),
    )
    try:
        polls(_ready)
    except RetryError as error:
        log = layout.log(components.SIMULATOR)
        raise LabError(
            f"{_ready()} of {count} simulated nodes are ready after {_DEADLINE_SECONDS:.0f} s; see {log}"
        ) from error
