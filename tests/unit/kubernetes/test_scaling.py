"""What autoscalers must say: how many replicas, by which figures."""

from __future__ import annotations

import pytest

from components.autoscaling import POLL_INTERVAL
from components.collector_processor import SAMPLER_COMMIT
from components.values.documents import Document
from components.values.quantities import Duration
from tests.support.made import annotations_of, made
from tests.support.variants_phase4 import OBJECT_VARIANTS


@pytest.mark.parametrize("scaling", [{}, {"lag": "keda"}], ids=["by CPU", "by lag"])
def test_processors_are_never_more_than_partitions(scaling: dict[str, str]) -> None:
    found = made("phase3-small", kafka={"partitions": 4}, autoscaling=scaling)
    if scaling:
        (scaled,) = found.of("ScaledObject")
        assert scaled["spec"]["maxReplicaCount"] == 4
    else:
        assert found.get("HorizontalPodAutoscaler", "otel-processor")["spec"]["maxReplicas"] == 4


def test_of_keda_only_its_operator_reaches_kafka() -> None:
    """The built-in brokers ask for no login, and other programs may run in KEDA's namespace."""
    found = made("phase3-small", autoscaling={"lag": "keda", "kedaNamespace": "kube-system"})
    (rule,) = found.get("NetworkPolicy", "kube-system-to-kafka")["spec"]["ingress"]
    assert rule["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"app": "keda-operator"}},
        }
    ]


@pytest.mark.parametrize(
    ("sampling", "thresholds"),
    [
        # 1,000 events/s, 400 of them spans, on 2 processors: 15 s of them, or 1 s.
        ("tail", {"trace": 500 + 3_000, "metric": 500, "log": 500, "sampled": 500 + 200}),
        ("none", {"trace": 500 + 200, "metric": 500, "log": 500, "sampled": 500 + 200}),
    ],
)
def test_what_processors_have_only_not_told_kafka_yet_brings_no_more_of_them(
    sampling: str, thresholds: dict[str, int]
) -> None:
    found = made("phase3-gateway-api", sampling={"mode": sampling})
    triggers = [one["metadata"] for one in found.get("ScaledObject", "otel-processor")["spec"]["triggers"]]
    assert {one["consumerGroup"]: one["lagThreshold"] for one in triggers} == {
        f"otel-{group}-processors": str(threshold) for group, threshold in thresholds.items()
    }


@pytest.mark.parametrize(
    ("sampling", "thresholds"),
    [
        (
            "tail",
            {"trace-processors": 3_500, "metric-writers": 500, "log-writers": 500, "sampled-writers": 700},
        ),
        (
            "none",
            {"trace-writers": 700, "metric-writers": 500, "log-writers": 500, "sampled-writers": 700},
        ),
    ],
)
def test_nor_does_it_in_the_groups_of_phase_four(sampling: str, thresholds: dict[str, int]) -> None:
    storage = OBJECT_VARIANTS["phase4-small"]["objectStorage"]
    found = made("phase3-gateway-api", phase=4, objectStorage=storage, sampling={"mode": sampling})
    triggers = [one["metadata"] for one in found.get("ScaledObject", "otel-processor")["spec"]["triggers"]]
    assert {one["consumerGroup"]: one["lagThreshold"] for one in triggers} == {
        f"otel-{group}": str(threshold) for group, threshold in thresholds.items()
    }


def test_a_reader_that_stands_still_brings_no_more_of_them() -> None:
    """KEDA sees that by its own look before, so nobody else may make it look."""
    scaled = made("phase3-gateway-api").get("ScaledObject", "otel-processor")["spec"]
    assert Duration(scaled["pollingInterval"]) == POLL_INTERVAL
    for trigger in scaled["triggers"]:
        assert trigger["metadata"]["excludePersistentLag"] == "true"
        assert trigger["useCachedMetrics"] is True


def test_an_autoscaler_by_load_lets_the_one_by_lag_come_before_it_goes() -> None:
    scalers = made("phase3-small").of("HorizontalPodAutoscaler")
    assert "otel-processor" in {one["metadata"]["name"] for one in scalers}
    for one in scalers:
        assert annotations_of(one)["validations.keda.sh/hpa-ownership"] == "false"


def test_samplers_tell_kafka_where_they_are_as_often_as_is_counted_with() -> None:
    interval = Document.read("otel-processor/processor.yaml").get(
        "receivers", "kafka/traces", "autocommit", "interval"
    )
    assert Duration.parse(interval) == SAMPLER_COMMIT
