"""How pods are replaced: what is waited for, how long, and what they still do as they stop."""

from __future__ import annotations

from typing import Any

import pytest

from components.values.quantities import Duration
from tests.support.made import annotations_of, made, requests, waits_of
from tests.support.manifests import name_of


def test_topics_that_others_make_are_not_waited_for_and_a_restart_makes_none() -> None:
    found = made("phase3-external-kafka")
    checking, gateway = (found.get("Deployment", name) for name in ("kafka-topics", "otel-gateway"))
    assert (waits_of(checking), waits_of(gateway)) == ({"pulumi.com/skipAwait": "true"}, {})
    (container,) = checking["spec"]["template"]["spec"]["containers"]
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    asked = [" ".join(container[probe]["exec"]["command"]) for probe in probes]
    assert asked == ["true", "true", "test -f /tmp/ready"]


def test_another_size_of_a_volume_replaces_no_stateful_set() -> None:
    """Replaced, all its pods would go at once; what the settings ask for is in an annotation."""
    with requests() as registered:
        found = made("phase3-small", sizing={"kafka": {"volume": "33GiB"}})
    ignored = {(one.type, one.name): list(one.ignoreChanges) for one in registered}
    sets = found.of("StatefulSet")
    assert sets
    for one in sets:
        kind = ("kubernetes:apps/v1:StatefulSet", one["metadata"]["name"])
        assert ignored[kind] == ["spec.volumeClaimTemplates"]
    assert annotations_of(found.get("StatefulSet", "kafka")) == {"storage.otel-stack.io/kafka-data": "33Gi"}


def waits(found: list[Any]) -> dict[str, tuple[str, str, str]]:
    """Give how long the creation, an update and the deletion of each workload may take."""
    kinds = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
    timeouts = {one.name: one.customTimeouts for one in found if one.type in kinds}
    return {name: (one.create, one.update, one.delete) for name, one in timeouts.items()}


def test_an_update_waits_as_long_as_a_rollout_may_take() -> None:
    with requests() as registered:
        found = made("phase3-medium")
    most = {name_of(one): one["spec"]["maxReplicas"] for one in found.of("HorizontalPodAutoscaler")}
    waited = waits(registered)
    for program in found.programs():
        (container,) = program.containers
        probe = container["startupProbe"]
        each = probe["periodSeconds"] * probe["failureThreshold"]
        if program.object["kind"] == "StatefulSet":
            each += program.pod["terminationGracePeriodSeconds"]
        pods = most.get(program.name) or program.object["spec"]["replicas"]
        create, update, _ = (Duration.parse(text).seconds for text in waited[program.name])
        assert create == 600, program.name
        assert create + pods * each <= update < create + pods * each + 60, program.name


def test_an_update_is_given_up_some_day() -> None:
    with requests() as registered:
        made("phase3-small", autoscaling={"gateway": {"maximum": 100}})
    assert waits(registered)["otel-gateway"][:2] == ("10m", "120m")


def test_a_deletion_waits_until_the_pods_may_be_killed() -> None:
    with requests() as registered:
        found = made("phase3-small", sampling={"decisionWait": "15m"})
    waited = waits(registered)
    ends = {one.name: one.pod["terminationGracePeriodSeconds"] for one in found.programs()}
    assert ends["otel-processor"] > 900
    for name, end in ends.items():
        assert end + 600 <= Duration.parse(waited[name][2]).seconds < end + 660, name


@pytest.mark.parametrize(
    ("variant", "seconds"),
    [("phase3-medium", 5), ("phase3-load-balancer", 30), ("phase3-everything-set", 45)],
)
def test_pods_still_serve_while_whatever_calls_them_learns_that_they_stop(variant: str, seconds: int) -> None:
    """A cloud's load balancer takes longer to learn it than the cluster's nodes."""
    pod = made(variant).program("otel-gateway").pod
    (gateway,) = pod["containers"]
    assert gateway["lifecycle"]["preStop"] == {"sleep": {"seconds": seconds}}
    assert pod["terminationGracePeriodSeconds"] == seconds + 40


def test_stores_wait_only_for_the_cluster_to_learn_that_they_stop() -> None:
    """Nothing outside calls them, and a store of one pod is away for as long as that takes."""
    before, after = made("phase3-medium"), made("phase3-load-balancer", sizing={"preset": "medium"})
    for name in ("jaeger", "prometheus", "loki"):
        (store,) = after.program(name).pod["containers"]
        assert store["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}
    rolled = {one.name for one in after.programs() if one.template != before.program(one.name).template}
    assert rolled == {"grafana", "otel-gateway"}
