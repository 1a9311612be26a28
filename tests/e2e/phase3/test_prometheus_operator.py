"""A cluster's own Prometheus, made by the Prometheus Operator: it scrapes the stack, evaluates its rules."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping

import httpx
import pytest

from tests.conftest import Note
from tests.lab.cluster import lifecycle, prometheus_operator
from tests.lab.errors import LabError
from tests.support.connections import listening, processes_of
from tests.support.deployment import ClusterDeployment
from tests.support.kubernetes_site import program_of
from tests.support.lab import missing
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.prometheus_api import Prometheus
from tests.support.reaching import opened
from tests.support.steady import flow
from tests.support.waiting import until
from tests.support.watched import ADDED, Watched

BY_OPERATOR = {
    "monitoring": "prometheus-operator",
    "monitoringNamespace": prometheus_operator.NAMESPACE,
    "labels": prometheus_operator.LABELS,
}
OPEN = {"otel-gateway:4317", "otel-gateway:4318", "grafana:3000"}
"""What every namespace reaches."""
SEEN_SECONDS = 360.0
"""The operator's look at new objects, its Prometheus's reload, a few scrapes and evaluations."""
KNOWN_SECONDS = 60.0
RULES = {"group": "monitoring.coreos.com", "version": "v1", "resource": "prometheusrules"}
EXPECTED = "program:expected:replicas"
EXPECTED_SECONDS = 900.0
"""A program is expected ten minutes after it was first scraped."""
FIRING_SECONDS = 300.0
RESTARTS = 3
PROCESSOR = "otel-processor"


@pytest.fixture(scope="module")
def watched(deployed: ClusterDeployment) -> Iterator[Watched]:
    """The stack with the objects for the operator, and the operator's Prometheus."""
    try:
        with lifecycle.lock():
            prometheus_operator.up()
    except LabError as error:
        missing(str(error))
    deployed.become(kubernetes=BY_OPERATOR)
    yield Watched(deployed=deployed, theirs=Prometheus(address=prometheus_operator.address()))
    deployed.become()
    prometheus_operator.down()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["EndpointSlice", "Endpoints"])
def test_it_scrapes_every_pod_and_names_them_as_the_stacks_own(
    watched: Watched, kind: str, note: Note
) -> None:
    """By both of the operator's ways to find pods; the one by Endpoints is its default, so it is the last."""
    prometheus_operator.discover_by(kind)

    def all_answer() -> dict[str, str]:
        found = watched.targets()
        wanted = watched.scraped()
        assert all(f"__meta_kubernetes_{kind.lower()}_name" in one["discoveredLabels"] for one in found)
        assert {one["labels"]["instance"]: one["labels"]["job"] for one in found} == wanted
        assert len(found) == len(wanted), "some pod is scraped twice"
        errors = {one["scrapeUrl"]: one["lastError"] for one in found if one["health"] != "up"}
        assert not errors, errors
        selector = f'up{{namespace="{watched.deployed.namespace}"}}'
        assert all(one.keys() >= ADDED for one in watched.theirs.series(selector))
        theirs, own = watched.found(selector)
        assert theirs == own
        return wanted

    found = until("all to be scraped", all_answer, seconds=SEEN_SECONDS, forgive=(AssertionError,))
    note({"targets": len(found), "programs": sorted(set(found.values()))})


@pytest.mark.long
def test_only_it_reaches_the_metrics_and_nothing_else(watched: Watched) -> None:
    pods = [pod for pod in watched.site.pods() if pod.ready]
    theirs = watched.watchers
    processes = processes_of(pod.uid for pod in [*pods, *theirs.values()])
    ends = {
        (pod.address, port): f"{program_of(pod)}:{port}"
        for pod in pods
        for port in listening(processes[pod.uid])
    }
    monitors = watched.deployed.cluster.get("servicemonitors", f"--namespace={watched.deployed.namespace}")
    named = {one["metadata"]["name"]: one["spec"]["endpoints"][0]["port"] for one in monitors["items"]}
    ports = {
        f"{program_of(pod)}:{port['containerPort']}"
        for pod in pods
        for port in pod.spec["containers"][0].get("ports", [])
        if port.get("name") == named.get(program_of(pod))
    }

    def are_the_only() -> bool:
        reach = {
            name: {ends[end] for end in opened(processes[pod.uid], ends)} for name, pod in theirs.items()
        }
        assert reach == {"prometheus": OPEN | ports, "prometheus-operator": OPEN}
        return True

    until("the policies", are_the_only, seconds=KNOWN_SECONDS, forgive=(AssertionError,))


@pytest.mark.long
@pytest.mark.parametrize("does", ["validate", "mutate"])
def test_its_admission_takes_the_rules_as_they_are(watched: Watched, does: str) -> None:
    """The chart kube-prometheus-stack has the API server ask it before it takes any."""
    request = {"uid": "1", "operation": "CREATE", "object": watched.given(), "resource": RULES}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    address = watched.watchers["prometheus-operator"].address
    answer = httpx.post(f"http://{address}:8080/admission-prometheusrules/{does}", json=review, timeout=30)
    found = answer.raise_for_status().json()["response"]
    assert found["allowed"], found
    patch = json.loads(base64.b64decode(found.get("patch", "")) or "[]")
    assert not [one for one in patch if not one["path"].startswith("/metadata/annotations")], patch


@pytest.mark.long
@pytest.mark.timeout(900)
def test_its_rules_find_what_the_stacks_own_do(watched: Watched, load: Load, note: Note) -> None:
    """Of each selector in the rules, and of what they record, the same series but for the added labels."""
    compared = {one for one in watched.looked_at() if not one.startswith((EXPECTED, "kubelet_"))}

    def are_the_same() -> int:
        found = {one: watched.found(one) for one in compared}
        differing = {
            one: {"only theirs": theirs - own, "only own": own - theirs}
            for one, (theirs, own) in sorted(found.items())
            if theirs != own
        }
        assert not differing, "\n".join(f"{one}: {sides}" for one, sides in differing.items())
        return sum(bool(theirs) for theirs, _ in found.values())

    with running(load):
        flow(load)
        count = until("the same series", are_the_same, seconds=SEEN_SECONDS, forgive=(AssertionError,))
    note({"selectors": len(compared), "of which find something": count})
    assert count > len(compared) / 2


@pytest.mark.long
@pytest.mark.timeout(900)
def test_it_evaluates_every_rule(watched: Watched, note: Note) -> None:
    """After the load, so that there is something to evaluate."""

    def are_evaluated() -> int:
        wanted = {
            name: [rule.get("alert", rule.get("record")) for rule in rules]
            for name, rules in watched.groups().items()
        }
        groups = watched.theirs.groups()
        assert {one["name"]: [rule["name"] for rule in one["rules"]] for one in groups} == wanted
        found = {(one["name"], rule["name"]): rule for one in groups for rule in one["rules"]}
        ill = {name: rule.get("lastError") for name, rule in found.items() if rule["health"] != "ok"}
        assert not ill, ill
        return sum(map(len, wanted.values()))

    count = until("all to be evaluated", are_evaluated, seconds=SEEN_SECONDS, forgive=(AssertionError,))
    note({"rules": count, "groups": len(watched.groups())})


@pytest.mark.long
@pytest.mark.timeout(900)
def test_it_tells_of_a_pod_that_keeps_restarting(watched: Watched, note: Note) -> None:
    """The pods that replace each other are one instance to the rules."""
    changes = "changes(process_start_time_seconds{job='grafana'}[15m])"
    for restarts in range(RESTARTS):
        watched.site.delete(*watched.site.pods("grafana"))
        for one in (watched.theirs, watched.own):
            until(
                "the restart to be noticed",
                lambda one=one, least=restarts: one.series(f"{changes} > {least}"),  # type: ignore[misc]
                seconds=SEEN_SECONDS,
            )
    alert = {
        "alertname": "ProgramRestarting",
        "job": "grafana",
        "instance": "grafana-1",
        "severity": "critical",
    }
    _demand_alert(watched, alert)
    note({"fired": alert})


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_it_tells_of_a_program_that_is_gone(watched: Watched, note: Note) -> None:
    expected = f'{EXPECTED}{{job="{PROCESSOR}"}}'
    for one in (watched.theirs, watched.own):
        until(
            "the processors to be expected",
            lambda one=one: one.series(expected),  # type: ignore[misc]
            seconds=EXPECTED_SECONDS,
            pause=5,
        )
    count = watched.site.ready(PROCESSOR)
    watched.site.kubectl("scale", f"statefulset/{PROCESSOR}", "--replicas=0")
    try:
        alert = {"alertname": "InstanceDown", "job": PROCESSOR, "severity": "critical"}
        _demand_alert(watched, alert)
    finally:
        watched.site.kubectl("scale", f"statefulset/{PROCESSOR}", f"--replicas={count}")
    watched.site.await_least(PROCESSOR, count)
    note({"fired": alert})


def _demand_alert(watched: Watched, labels: Mapping[str, str]) -> None:
    """Both fire it, theirs with the stack's namespace."""

    def fire() -> bool:
        wanted = labels.items()
        assert any(wanted <= one.items() for one in watched.own.firing(labels["alertname"])), "own does not"
        found = [one for one in watched.theirs.firing(labels["alertname"]) if wanted <= one.items()]
        assert {one["namespace"] for one in found} == {watched.deployed.namespace}, "theirs does not"
        return True

    until(f"{labels['alertname']} to fire", fire, seconds=FIRING_SECONDS, pause=1, forgive=(AssertionError,))
