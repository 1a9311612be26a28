"""A stack that Argo CD deploys from a private Git repository, as docs/gitops.md says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase3.delivered import PROCESSOR, demand_a_push_rolls_what_it_concerns, demand_it_runs
from tests.lab.cluster import argocd, git_server, kubectl, lifecycle
from tests.lab.errors import LabError
from tests.support.argocd_deployment import ArgoDeployment
from tests.support.cluster import Cluster
from tests.support.configurations import configurations, mounted
from tests.support.deployment import CLAIM, left_in
from tests.support.git_deployment import APPLY_SECONDS
from tests.support.given_secrets import GRAFANA_LOGIN
from tests.support.kubernetes_site import ClusterSite, uids
from tests.support.lab import missing
from tests.support.namespaces import await_gone, let_go
from tests.support.numbered import Load
from tests.support.steady import settled
from tests.support.waiting import until

NAMESPACE = "otel-argocd"
KEEPING = ("grafana", "jaeger", "kafka", "loki", "prometheus")
"""Programs with a volume."""
ROUNDS = 3
UNDONE_SECONDS, AILING_SECONDS, GONE_SECONDS = 120.0, 180.0, 600.0


@pytest.fixture(scope="module")
def argocd_runs(kubernetes: Cluster) -> Iterator[git_server.Login]:  # noqa: ARG001
    """Argo CD and a Git server, for whoever has the login."""
    try:
        with lifecycle.lock():
            login = git_server.up()
            argocd.up(login.known_hosts)
    except LabError as error:
        git_server.down()
        missing(str(error))
    yield login
    argocd.down()
    git_server.down()


@pytest.fixture(scope="module")
def delivered(
    kubernetes: Cluster, argocd_runs: git_server.Login, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArgoDeployment]:
    """The stack as first pushed, up and settled; nothing of it is left afterwards."""
    made = ArgoDeployment(
        cluster=kubernetes,
        namespace=NAMESPACE,
        folder=tmp_path_factory.mktemp("git"),
        login=argocd_runs,
        original={"phase": 3, "sizing": {"preset": "small"}, "kubernetes": {"spread": "preferred"}},
    )
    try:
        made.begin()
        settled(made.site, len(made.site.pods(PROCESSOR)))
        yield made
    finally:
        made.remove()
        let_go(NAMESPACE)
        await_gone(NAMESPACE)


@pytest.fixture
def site(delivered: ArgoDeployment) -> ClusterSite:
    """Where the stack answers."""
    return delivered.site


@pytest.mark.long
@pytest.mark.timeout(APPLY_SECONDS + 600)
def test_what_is_pushed_runs(delivered: ArgoDeployment) -> None:
    demand_it_runs(delivered)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_further_looks_find_no_difference(delivered: ArgoDeployment, note: Note) -> None:
    before, synced = delivered.written(), delivered.application()["status"]["history"]
    note({"objects that Argo CD applied": len(before)})
    for _ in range(ROUNDS):
        delivered.refresh()
        status = delivered.application()["status"]
        assert {one["status"] for one in status["resources"]} == {"Synced"}, delivered.complaints()
        assert delivered.state()[:2] == ("Synced", "Healthy"), delivered.complaints()
    assert delivered.written() == before
    assert delivered.application()["status"]["history"] == synced
    assert not [name for name in before if name[0] == "Secret"]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_push_rolls_the_pods_that_it_concerns(
    delivered: ArgoDeployment, load: Load, report: Report, note: Note
) -> None:
    """Found by Argo CD itself: nobody tells it."""
    took = demand_a_push_rolls_what_it_concerns(delivered, load, report)
    note({"seconds from push to ready": round(took)})


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_ails_elsewhere_stops_no_push(delivered: ArgoDeployment, site: ClusterSite) -> None:
    """An autoscaler without metrics is not healthy."""
    metrics = ("--namespace=kube-system", "scale", "deployment/metrics-server")
    kubectl.run(*metrics, "--replicas=0")
    try:
        until("an autoscaler to ail", lambda: delivered.state()[1] == "Degraded", seconds=AILING_SECONDS)
        commit = delivered.push(sampling={"keepPercent": 25})
        delivered.refresh()
        delivered.await_ended(commit, "Succeeded")
        assert delivered.state()[1] == "Degraded"
        assert configurations(site) == mounted(site)
    finally:
        kubectl.run(*metrics, "--replicas=1")
    delivered.await_applied(commit)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_what_never_starts_is_waited_for_until_somebody_ends_that(
    delivered: ArgoDeployment, site: ClusterSite
) -> None:
    before = configurations(site)
    nowhere = {"overrides": {"collector": "example.com/none/otelcol:0"}}
    bad = delivered.push(sampling={"keepPercent": 30}, images=nowhere)
    delivered.refresh()
    delivered.await_waiting(bad)
    good = delivered.push(sampling={"keepPercent": 35})
    delivered.refresh()
    assert delivered.state()[2:] == ("Running", good)
    delivered.await_waiting(bad)
    assert before < configurations(site)
    delivered.end_operation()
    delivered.await_applied(good)
    assert configurations(site) == mounted(site)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_others_change_is_undone_unless_it_is_told_not_to(
    delivered: ArgoDeployment, site: ClusterSite, note: Note
) -> None:
    def is_down() -> bool:
        return not site.pods("jaeger")

    site.kubectl("scale", "statefulset/jaeger", "--replicas=0")
    scaled = time.time()
    until("Jaeger to be back", lambda: _wanted(site, "jaeger") == 1, seconds=UNDONE_SECONDS)
    note({"seconds until a change was undone": round(time.time() - scaled)})
    delivered.await_in_sync()
    # What argocd app set --sync-policy none does.
    delivered.change({"spec": {"syncPolicy": {"automated": None}}})
    site.kubectl("scale", "statefulset/jaeger", "--replicas=0")
    until("Jaeger to be down", is_down, seconds=UNDONE_SECONDS)
    delivered.refresh()
    assert delivered.state()[0] == "OutOfSync"
    assert _wanted(site, "jaeger") == 0
    delivered.apply()
    assert site.ready("jaeger") == 1


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_the_manifests_leave_out_is_others(delivered: ArgoDeployment, site: ClusterSite) -> None:
    """The number of processors, and what ``kubectl rollout restart`` writes."""
    count = len(site.pods(PROCESSOR))
    site.kubectl("scale", f"statefulset/{PROCESSOR}", "--replicas=0")
    site.kubectl("rollout", "restart", "deployment/otel-gateway")
    site.kubectl("rollout", "status", "deployment/otel-gateway", "--timeout=300s")
    restarted = uids(site)["otel-gateway"]
    for _ in range(ROUNDS):
        delivered.refresh()
        assert delivered.state()[0] == "Synced", delivered.complaints()
    assert _wanted(site, PROCESSOR) == 0
    assert uids(site)["otel-gateway"] & restarted
    site.kubectl("scale", f"statefulset/{PROCESSOR}", f"--replicas={count}")
    site.await_least(PROCESSOR, count)
    delivered.await_in_sync()


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_another_size_of_a_volume_is_refused_and_nothing_else(
    delivered: ArgoDeployment, site: ClusterSite
) -> None:
    before = uids(site)
    commit = delivered.push(
        sampling={"keepPercent": 40}, sizing={"preset": "small", "grafana": {"volume": "3GiB"}}
    )
    delivered.refresh()
    delivered.await_ended(commit, "Failed", "updates to statefulset spec for fields other than")
    after = uids(site)
    assert {name for name in after if not after[name] & before[name]} == {PROCESSOR}
    site.kubectl("delete", "statefulset", "grafana", "--cascade=orphan")
    delivered.sync()
    delivered.await_applied(commit)
    assert uids(site) == after
    assert configurations(site) == mounted(site)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_namespace_and_claims_outlive_the_application(delivered: ArgoDeployment, site: ClusterSite) -> None:
    before = uids(site)
    kubectl.run("delete", f"--filename={delivered.manifest}", f"--timeout={GONE_SECONDS:.0f}s")
    assert uids(site) == before
    delivered.apply()
    assert uids(site) == before
    delivered.remove()
    until("no pod", lambda: not site.pods(), seconds=GONE_SECONDS, pause=2)
    given = frozenset({f"secret/{GRAFANA_LOGIN}"})
    claims = [f"{CLAIM}{name}-data-{name}-1" for name in KEEPING]
    assert left_in(delivered.cluster, NAMESPACE, given) == claims
    assert delivered.cluster.get("namespace", NAMESPACE)["status"]["phase"] == "Active"


def _wanted(site: ClusterSite, name: str) -> int:
    found = json.loads(site.kubectl("get", "statefulset", name, "--output=json"))
    return int(found["spec"]["replicas"])
