"""What is left when the stack is removed, and that both ways back, ``pulumi up`` and manifests, find it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.phase3.conftest import NAMESPACE
from tests.lab.cluster import kubectl
from tests.support.deployment import CLAIM, ClusterDeployment
from tests.support.drilled import Stores
from tests.support.given_secrets import GRAFANA_LOGIN, make_grafana_login
from tests.support.kubernetes_site import ClusterSite, program_of
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.stack import Stack
from tests.support.steady import demand_nothing_lost, flow
from tests.support.stored import await_all
from tests.support.waiting import until

KEEPING = ("grafana", "jaeger", "kafka", "loki", "prometheus")
"""Programs with a volume."""
FOUND_SECONDS = 120.0


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_data_outlives_the_stack(deployed: ClusterDeployment, load: Load) -> None:
    """Its labels, which the namespace keeps as well, may be others when it is back."""
    deployed.become(kubernetes={"labels": {"team": "one"}})
    _fill(deployed.site, load)
    deployed.stack.destroy()
    assert deployed.left() == [f"{CLAIM}{name}-data-{name}-1" for name in KEEPING]
    deployed.become(kubernetes={"labels": {"team": "two"}})
    _await_found(deployed.site, load)
    namespace = deployed.cluster.get("namespace", NAMESPACE)
    assert namespace["metadata"]["labels"]["team"] == "two"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_rendered_manifests_run_the_same_stack(
    deployed: ClusterDeployment, load: Load, tmp_path: Path
) -> None:
    deployed.become()
    _fill(deployed.site, load)
    before = _shapes(deployed.site)
    manifests = _rendered(deployed, tmp_path)
    deployed.stack.destroy()
    make_grafana_login(NAMESPACE)
    try:
        _apply(manifests)
        site = deployed.site
        until("the same pods", lambda: _ready(site) >= set(before), seconds=FOUND_SECONDS * 3, pause=2)
        assert _shapes(site) == before
        _await_found(site, load)
        again = Load(run=f"{load.run}r", target=site.target)
        _fill(site, again)
    finally:
        _delete(manifests)
        deployed.become()


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_an_empty_cluster_takes_rendered_manifests_with_one_command(
    deployed: ClusterDeployment, load: Load, tmp_path: Path
) -> None:
    deployed.become()
    programs = {program_of(pod) for pod in deployed.site.pods()}
    manifests = _rendered(deployed, tmp_path)
    deployed.remove()
    try:
        _apply(manifests)
        make_grafana_login(NAMESPACE)
        site = deployed.site
        until("all pods", lambda: _ready(site) >= programs, seconds=FOUND_SECONDS * 3, pause=2)
        _fill(site, Load(run=f"{load.run}e", target=site.target))
    finally:
        _delete(manifests)
        deployed.become()


def _rendered(deployed: ClusterDeployment, folder: Path) -> Path:
    """Write the deployed stack's manifests, for Git, and return their folder."""
    section = {
        "render": str(folder / "rendered"),
        "existingSecrets": {"grafana": GRAFANA_LOGIN},
        "gitops": {"repository": "https://git.example.com/platform/otel-stack.git"},
    }
    config = deployed.settings(kubernetes=section)
    Stack(name=deployed.stack.name, folder=folder / "stack", config=config).up()
    return folder / "rendered" / "manifests"


def _apply(manifests: Path) -> None:
    kubectl.run("apply", "--server-side", "--force-conflicts", "--recursive", f"--filename={manifests}")


def _delete(manifests: Path) -> None:
    kubectl.run("delete", "--recursive", f"--filename={manifests}", "--ignore-not-found", "--timeout=300s")


def _fill(site: ClusterSite, load: Load) -> None:
    with running(load):
        flow(load)
    demand_nothing_lost(site, load)


def _await_found(site: Stores, load: Load) -> None:
    found = await_all(site, load, seconds=FOUND_SECONDS)
    missing = {signal: one.missing for signal, one in found.items() if one.missing}
    assert not missing, f"missing from before: {missing}"


def _ready(site: ClusterSite) -> set[str]:
    return {program_of(pod) for pod in site.pods() if pod.ready}


def _shapes(site: ClusterSite) -> dict[str, Any]:
    """What each program's pods are made of, without names of objects that differ each time."""
    return {program_of(pod): _shape(pod.spec) for pod in site.pods()}


def _shape(spec: Any) -> dict[str, Any]:
    own = [volume for volume in spec["volumes"] if not volume["name"].startswith("kube-api-access")]
    mounted = {volume["name"] for volume in own}
    containers = [
        {**one, "volumeMounts": [mount for mount in one["volumeMounts"] if mount["name"] in mounted]}
        for one in spec["containers"]
    ]
    kept = {key: value for key, value in spec.items() if key not in {"nodeName", "hostname", "volumes"}}
    shape: dict[str, Any] = _without_version(
        {**kept, "containers": containers, "volumes": [_unnamed(volume) for volume in own]}
    )
    return shape


def _without_version(given: Any) -> Any:
    """Remove the hash of the Deployment's template, which the API server adds to selectors of pods."""
    if isinstance(given, dict):
        return {key: _without_version(value) for key, value in given.items()}
    if isinstance(given, list):
        return [_without_version(one) for one in given if not _is_version(one)]
    return given


def _is_version(one: Any) -> bool:
    return isinstance(one, dict) and one.get("key") == "pod-template-hash"


def _unnamed(volume: dict[str, Any]) -> dict[str, Any]:
    """Remove the names of ConfigMaps and Secrets from a volume, and those of the Secrets' keys."""
    copy: dict[str, Any] = json.loads(json.dumps(volume))
    for source in copy.get("projected", {}).get("sources", []):
        for kind, content in source.items():
            content.pop("name", None)
            for item in content.get("items", []) if kind == "secret" else ():
                item.pop("key")
    return copy
