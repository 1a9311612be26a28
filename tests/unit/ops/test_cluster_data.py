"""Claims of a stack on Kubernetes: named, removed, and left to others."""

from __future__ import annotations

from typing import Any

import pytest

from ops.errors import OpsError
from tests.support.cluster_answers import INVENTORY, claim
from tests.support.ops_cluster import Cluster


def test_data_is_named_and_removed_as_claims(cluster: Cluster) -> None:
    items = [
        claim("loki-data-loki-1", "Bound"),
        claim("data-0-kafka-broker-0", "Bound", ("strimzi.io/cluster", "kafka")),
        claim("of-somebody-else", "Bound", ("team", "shop")),
    ]
    cluster.says("get persistentvolumeclaims", {"items": items})
    cluster.says("delete", "")
    site = cluster.site()
    names = "loki-data-loki-1, data-0-kafka-broker-0"
    assert site.data(INVENTORY) == f"the PersistentVolumeClaims {names} of namespace observability"
    site.forget_data()
    assert "delete persistentvolumeclaims loki-data-loki-1 data-0-kafka-broker-0 --wait" in cluster.log[-2]
    assert not any(" annotate " in line for line in cluster.log)
    with pytest.raises(OpsError, match="loki-data-loki-1") as caught:
        site.volumes()
    assert "VolumeSnapshots" in caught.value.advice


def test_strimzis_topics_go_before_the_kafka_that_they_are_deleted_by(cluster: Cluster) -> None:
    cluster.more = {"otel-stack:kafka": {"mode": "strimzi"}}
    broker = claim("data-0-kafka-broker-0", "Bound", ("strimzi.io/cluster", "kafka"))
    cluster.says("get persistentvolumeclaims", {"items": [broker]})
    cluster.says("delete", "")
    cluster.site().forget_data()
    deleted = [line.partition(" delete ")[2].split()[0] for line in cluster.log if " delete " in line]
    assert deleted == [
        "kafkatopics.kafka.strimzi.io,kafkausers.kafka.strimzi.io",
        "kafkas.kafka.strimzi.io,kafkanodepools.kafka.strimzi.io",
        "persistentvolumeclaims",
    ]
    ours = [line for line in cluster.log if ".strimzi.io," in line]
    assert all("--selector=app.kubernetes.io/part-of=otel-stack" in line for line in ours)


def owned(by: str) -> dict[str, Any]:
    return {"metadata": {"name": "observability", "annotations": {"otel-stack.io/owner": by}}}


def test_claims_in_the_namespace_of_another_stack_are_not_touched(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.says("get namespace observability", owned("otel-stack/other"))
    cluster.says("get persistentvolumeclaims", {"items": [claim("loki-data-loki-1", "Bound")]})
    site = cluster.site()
    found = site.data(INVENTORY)
    assert (
        found == "no PersistentVolumeClaim, because the namespace observability belongs to otel-stack/other"
    )
    site.forget_data()
    assert not any(" delete " in line or " annotate " in line for line in cluster.log)
    assert "belongs to the stack otel-stack/other" in capfd.readouterr().err


def test_a_namespace_is_free_for_others_once_the_claims_are_gone(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.says("get namespace observability", owned("otel-stack/dev"))
    cluster.says("get persistentvolumeclaims", {"items": [claim("loki-data-loki-1", "Bound")]})
    cluster.says("delete", "")
    cluster.fails("annotate", "Error from server (Forbidden): namespaces is forbidden")
    cluster.site().forget_data()
    assert "delete persistentvolumeclaims loki-data-loki-1" in cluster.log[-3]
    assert cluster.log[-1].endswith(
        "annotate namespace observability otel-stack.io/owner- pulumi.com/patchFieldManager-"
    )
    assert "still this stack's" in capfd.readouterr().err


def test_nothing_to_remove_is_not_removed(cluster: Cluster) -> None:
    cluster.says("get persistentvolumeclaims", {"items": []})
    cluster.site().forget_data()
    assert not any(" delete " in line for line in cluster.log)
