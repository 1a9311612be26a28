"""A stack that Flux deploys from a private Git repository, as docs/gitops.md says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase3.delivered import PROCESSOR, demand_a_push_rolls_what_it_concerns, demand_it_runs
from tests.lab.cluster import flux, git_server, kubectl, lifecycle
from tests.lab.errors import LabError
from tests.support.cluster import Cluster
from tests.support.deployment import CLAIM, left_in
from tests.support.flux_deployment import FluxDeployment
from tests.support.git_deployment import APPLY_SECONDS
from tests.support.given_secrets import GRAFANA_LOGIN
from tests.support.kubernetes_site import ClusterSite, uids
from tests.support.lab import missing
from tests.support.namespaces import await_gone, let_go
from tests.support.numbered import Load
from tests.support.steady import settled
from tests.support.waiting import until

NAMESPACE = "otel-flux"
KEEPING = ("grafana", "jaeger", "kafka", "loki", "prometheus")
"""Programs with a volume."""
MANAGER = "kustomize-controller"
"""As which Flux writes objects."""
ROUNDS = 3
GONE_SECONDS = 600.0


@pytest.fixture(scope="module")
def flux_runs(kubernetes: Cluster) -> Iterator[git_server.Login]:  # noqa: ARG001
    """Flux and a Git server, for whoever has the login."""
    try:
        with lifecycle.lock():
            flux.up()
            login = git_server.up()
    except LabError as error:
        missing(str(error))
    yield login
    git_server.down()
    flux.down()


@pytest.fixture(scope="module")
def delivered(
    kubernetes: Cluster, flux_runs: git_server.Login, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FluxDeployment]:
    """The stack as first pushed, up and settled; nothing of it is left afterwards."""
    made = FluxDeployment(
        cluster=kubernetes,
        namespace=NAMESPACE,
        folder=tmp_path_factory.mktemp("git"),
        login=flux_runs,
        original={"phase": 3, "sizing": {"preset": "small"}, "kubernetes": {"spread": "preferred"}},
    )
    try:
        made.begin()
        settled(made.site, len(made.site.pods(PROCESSOR)))
        yield made
    finally:
        if made.manifest.exists():
            patience = f"--timeout={GONE_SECONDS:g}s"
            kubectl.run("delete", "--ignore-not-found", f"--filename={made.manifest}", patience)
        let_go(NAMESPACE)
        await_gone(NAMESPACE)


@pytest.fixture
def site(delivered: FluxDeployment) -> ClusterSite:
    """Where the stack answers."""
    return delivered.site


@pytest.mark.long
@pytest.mark.timeout(APPLY_SECONDS + 600)
def test_what_is_pushed_runs(delivered: FluxDeployment) -> None:
    demand_it_runs(delivered)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_reconciliation_without_a_change_writes_nothing(delivered: FluxDeployment, note: Note) -> None:
    before = _written(delivered)
    note({"objects that Flux applied": len(before)})
    for _ in range(ROUNDS):
        delivered.reconcile()
    assert _written(delivered) == before
    assert not [name for name in before if name[0] == "Secret"]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_push_rolls_the_pods_that_it_concerns(
    delivered: FluxDeployment, site: ClusterSite, load: Load, report: Report, note: Note
) -> None:
    took = demand_a_push_rolls_what_it_concerns(delivered, load, report)
    note({"seconds from push to ready": round(took), "pods that waited for a volume": _waited(site)})


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_another_size_of_a_volume_stops_the_commit_and_nothing_else(
    delivered: FluxDeployment, site: ClusterSite
) -> None:
    before = uids(site)
    commit = delivered.push(
        sampling={"keepPercent": 40}, sizing={"preset": "small", "grafana": {"volume": "3GiB"}}
    )
    delivered.await_refused(commit, "updates to statefulset spec for fields other than")
    assert uids(site) == before
    site.kubectl("delete", "statefulset", "grafana", "--cascade=orphan")
    delivered.await_applied(commit)
    after = uids(site)
    assert {name for name in after if not after[name] & before[name]} == {PROCESSOR}


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_namespace_and_claims_outlive_the_kustomization(delivered: FluxDeployment, site: ClusterSite) -> None:
    kubectl.run("delete", f"--filename={delivered.manifest}", f"--timeout={GONE_SECONDS:.0f}s")
    until("no pod", lambda: not site.pods(), seconds=GONE_SECONDS, pause=2)
    given = frozenset({f"secret/{GRAFANA_LOGIN}"})
    claims = [f"{CLAIM}{name}-data-{name}-1" for name in KEEPING]
    assert left_in(delivered.cluster, NAMESPACE, given) == claims
    assert delivered.cluster.get("namespace", NAMESPACE)["status"]["phase"] == "Active"


def _written(delivered: FluxDeployment) -> dict[tuple[str, str], tuple[int | None, str]]:
    """Generation of each object that Flux has applied, and when it last wrote it."""
    found: dict[tuple[str, str], tuple[int | None, str]] = {}
    for entry in delivered.kustomization()["status"]["inventory"]["entries"]:
        namespace, name, group, kind = entry["id"].split("_")
        place = [f"--namespace={namespace}"] if namespace else []
        version = f"{kind}.{entry['v']}.{group}" if group else kind
        found[kind, name] = delivered.last_written(MANAGER, version, name, *place)
    return found


def _waited(site: ClusterSite) -> dict[str, int]:
    """How often the kubelet told of each pod that a volume of it was not to be had."""
    found = json.loads(site.kubectl("get", "events", "--field-selector=reason=FailedMount", "--output=json"))
    told: Counter[str] = Counter()
    for event in found["items"]:
        told[event["involvedObject"]["name"]] += event.get("count") or 1
    return dict(told)
