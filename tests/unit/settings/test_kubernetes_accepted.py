"""Settings of phase 3 that are taken, and that the tests' variants leave none of them out."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import Settings
from tests.support.settings_phase3 import rendered
from tests.support.variants import CLUSTER_VARIANTS

NESTED = ("exposure", "existingSecrets", "gitops", "gateway", "processor")


@pytest.mark.parametrize("name", CLUSTER_VARIANTS)
def test_variants_are_accepted_and_written_out_again(name: str) -> None:
    settings = Settings.load(CLUSTER_VARIANTS[name])
    assert settings.phase == 3
    assert Settings.load(settings.dump()) == settings


def test_rendering_needs_no_repository() -> None:
    Settings.load(rendered(gitops={}))


def test_rendering_needs_no_cluster() -> None:
    assert Settings.load(rendered()).kubernetes.kubeconfig is None


def test_everything_set_leaves_out_no_setting_of_the_cluster() -> None:
    """Each setting of the two sections is used by some variant, so no rule is tried on defaults alone."""

    def used(section: dict[str, Any], path: str) -> set[str]:
        found: set[str] = set()
        for key, value in section.items():
            nested = isinstance(value, dict) and key in NESTED
            found |= used(value, f"{path}.{key}") if nested else {f"{path}.{key}"}
        return found

    variants = CLUSTER_VARIANTS.values()
    given = {
        key
        for config in variants
        for part in ("kubernetes", "autoscaling")
        for key in used(config.get(part, {}), part)
    }
    assert given == set(settings_of("kubernetes")) | set(settings_of("autoscaling"))


def settings_of(section: str) -> list[str]:
    """Every key of a section, dotted, as the schema names it."""
    schema = Settings.json_schema()
    definitions = schema["$defs"]

    def keys(name: str, path: str) -> list[str]:
        found: list[str] = []
        for key, value in definitions[name]["properties"].items():
            reference = str(value.get("$ref", "")).rpartition("/")[2]
            found += keys(reference, f"{path}.{key}") if reference in definitions else [f"{path}.{key}"]
        return found

    top = str(schema["properties"][section]["$ref"]).rpartition("/")[2]
    return keys(top, section)
