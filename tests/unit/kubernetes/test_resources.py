"""What pods request of a cluster's nodes, and what of that the documents say."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ops.project import ROOT
from tests.kubernetes.rules.pods import cores, mebibytes
from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.variants import CLUSTER_VARIANTS

CLUSTER = CLUSTER_VARIANTS["phase3-small"]


def made(**sections: Any) -> Tree:
    config = {**CLUSTER, **sections}
    return tree(run_program(config), config)


def cpu_requests(found: Tree) -> dict[str, tuple[float, float]]:
    """Requests and limits of CPU by program, of one pod."""
    resources = {one.name: one.containers[0]["resources"] for one in found.programs()}
    return {
        name: (cores(one["requests"]["cpu"]), cores(one["limits"]["cpu"])) for name, one in resources.items()
    }


def test_autoscaled_pods_request_the_cpu_at_which_they_are_scaled() -> None:
    """Pods that request less may never get there on a full node."""
    requests = cpu_requests(made(sizing={"preset": "medium"}))
    shares = {name: round(request / limit, 2) for name, (request, limit) in requests.items()}
    assert {shares.pop(name) for name in ("otel-gateway", "otel-processor")} == {0.7}
    assert set(shares.values()) == {0.5}


def test_processors_that_scale_by_lag_request_what_all_others_do() -> None:
    """No autoscaler waits for them to be that busy."""
    requests = cpu_requests(made(sizing={"preset": "medium"}, autoscaling={"lag": "keda"}))
    request, limit = requests["otel-processor"]
    assert request / limit == pytest.approx(0.5, abs=0.001)
    request, limit = requests["otel-gateway"]
    assert request / limit == pytest.approx(0.7, abs=0.001)


def test_a_small_stack_requests_little_and_anybody_what_is_said() -> None:
    for said, share in (({}, 0.125), ({"reservedCpuPercent": 25}, 0.25)):
        requests = cpu_requests(made(kubernetes={**CLUSTER["kubernetes"], **said}))
        assert all(request == pytest.approx(limit * share, abs=0.001) for request, limit in requests.values())


def test_what_a_small_stack_requests_is_what_the_documents_say() -> None:
    programs = made().programs()
    pods = {one.name: one.object["spec"].get("replicas", 2) for one in programs}
    requests = {one.name: one.containers[0]["resources"]["requests"] for one in programs}
    cpu = sum(cores(one["cpu"]) * pods[name] for name, one in requests.items())
    memory = sum(mebibytes(one["memory"]) * pods[name] for name, one in requests.items())
    said = re.search(r"ask for (\S+) cores and (\S+) GiB in all", (ROOT / "docs/kubernetes.md").read_text())
    assert said is not None
    assert said.groups() == (f"{cpu:.1f}", f"{memory / 1024:.1f}")
