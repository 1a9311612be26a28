"""What the rules are told by the settings."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.prometheus_store import alert_rules
from components.quantities import Duration
from components.settings import Settings
from tests.support.variants import CLUSTER_VARIANTS, VARIANTS

HOUR = 3600


def alerts(retention: Duration) -> dict[str, Any]:
    """Give the alerts on Kafka, by name."""
    groups = yaml.safe_load(alert_rules({}, retention, copies_counted=False)["buffer.yaml"])["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


@pytest.mark.parametrize(
    ("retention", "half"),
    [
        (Duration(24 * HOUR), "12h"),
        (Duration(12 * HOUR), "6h"),
        (Duration(3 * 24 * HOUR), "36h"),
        (Duration(90), "10m"),
    ],
    ids=str,
)
def test_unread_records_are_told_of_at_half_of_kafkas_retention(retention: Duration, half: str) -> None:
    alert = alerts(retention)["KafkaLagAgeNearsRetention"]
    assert alert["expr"].count(f"avg_over_time(kafka:unread:ratio[{half}])") == 2
    assert f"offset {half})" in alert["expr"]
    assert f"retention ({retention})" in alert["annotations"]["description"]


def test_texts_name_kafkas_retention() -> None:
    texts = [rule["annotations"]["description"] for rule in alerts(Duration(5 * HOUR)).values()]
    assert sum("retention (5h)" in text for text in texts) == 2
    assert not any("(1d)" in text for text in texts)


@pytest.mark.parametrize("counted", [True, False])
def test_counts_are_missed_where_somebody_counts(*, counted: bool) -> None:
    groups = yaml.safe_load(alert_rules({}, Duration(HOUR), copies_counted=counted)["limits.yaml"])["groups"]
    expressions = {rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}
    assert expressions["kafka:copies_counted:bool"] == str(int(counted))


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        ({"phase": 1}, False),
        (VARIANTS["phase2-small"], True),
        (VARIANTS["phase2-external-kafka"], True),
        (CLUSTER_VARIANTS["phase3-small"], True),
        (CLUSTER_VARIANTS["phase3-external-kafka"], False),
        (CLUSTER_VARIANTS["phase3-strimzi"], False),
    ],
)
def test_copies_are_counted_where_the_stack_makes_the_topics(
    settings: dict[str, Any], *, counts: bool
) -> None:
    assert Settings.load(settings).counts_copies is counts
