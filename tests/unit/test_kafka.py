"""The buffer by its settings: what is refused, and what topics are made with."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.settings import Settings
from components.settings_errors import SettingsError
from tests.support.program import run_program
from tests.support.variants import CLUSTER_VARIANTS

REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"createTopics": False}, r"kafka\.createTopics: False: kafka\.mode: builtin makes its topics itself"),
    (
        {"mode": "strimzi", "createTopics": False},
        r"kafka\.createTopics: False: kafka\.mode: strimzi makes its topics itself",
    ),
]


@pytest.mark.parametrize(("kafka", "message"), REFUSALS, ids=[str(kafka) for kafka, _ in REFUSALS])
def test_refused(kafka: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load({"phase": 2, "kafka": kafka})


@pytest.mark.parametrize(
    ("stashed", "first", "kafka"),
    [("kafka-traces-partitions", 6, {"partitions": 12}), ("kafka-brokers", 3, {"brokers": 1})],
)
def test_strimzis_topics_keep_what_they_were_made_with(
    stashed: str, first: int, kafka: dict[str, int]
) -> None:
    settings = CLUSTER_VARIANTS["phase3-strimzi"]
    changed = {**settings, "kafka": {**settings["kafka"], **kafka}}
    with pytest.raises(pulumi.RunError, match=f"this stack was made with {first}"):
        run_program(changed, remembered={stashed: first})
