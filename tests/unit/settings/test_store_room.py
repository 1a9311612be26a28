"""Disks and limits of phase 4's stores below what the declared rate takes."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import Settings
from tests.support.variants_phase4 import OBJECT_VARIANTS


def doubts(**sections: Any) -> list[str]:
    """Give the warnings on stores, without their text."""
    found = Settings.load({**OBJECT_VARIANTS["phase4-small"], **sections}).warnings()
    return [one.partition(": ")[0] for one in found if one.startswith("stores.")]


@pytest.mark.parametrize("preset", ["small", "medium", "large"])
def test_the_sizing_itself_suffices(preset: str) -> None:
    assert doubts(sizing={"preset": preset}, sampling={"mode": "none"}) == []


@pytest.mark.parametrize("rate", [60_000, 200_000, 1_000_000])
def test_more_replicas_need_less_each(rate: int) -> None:
    assert doubts(sizing={"eventsPerSecond": rate}, sampling={"mode": "none"}) == []


@pytest.mark.parametrize(
    ("store", "key", "given", "enough"),
    [
        ("tempo", "volume", "20GiB", "250GiB"),
        ("mimir", "volume", "1B", "250GiB"),
        ("loki", "volume", "1GiB", "250GiB"),
        ("tempo", "rate", "1MiB", "20MiB"),
        ("loki", "rate", "1MiB", "20MiB"),
        ("mimir", "samplesPerSecond", 1000, 20_000),
    ],
)
def test_what_is_too_little_is_told(store: str, key: str, given: object, enough: object) -> None:
    section = {"sizing": {"preset": "large"}, "sampling": {"mode": "none"}}
    assert doubts(**section, stores={store: {key: given}}) == [f"stores.{store}.{key}"]
    assert doubts(**section, stores={store: {key: enough}}) == []


def test_what_sampling_drops_takes_no_room() -> None:
    stores = {"tempo": {"volume": "20GiB"}}
    assert doubts(sizing={"preset": "large"}, sampling={"keepPercent": 10}, stores=stores) == []
