"""Rendered manifests are held against those before them: what topics were made with stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.platform.manifests.scope import FIRST_APPLIED
from ops.errors import OpsError
from ops.render.fixed import fixed_values, refuse_other_places
from tests.support.manifests import dump, tree
from tests.support.program import run_program
from tests.support.variants import CLUSTER_VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS

KEPT = {
    *("kafka", "kafka-topics", "broker", "otlp-traces", "otlp-logs", "jaeger"),
    *("otel-gateway", "tempo", "postgres", "observability", "telemetry"),
}
"""Names of the objects that are written: those with something fixed, and some beside them."""

VARIANTS = {**CLUSTER_VARIANTS, **OBJECT_VARIANTS}
ELSEWHERE = {**VARIANTS["phase3-small"]["kubernetes"], "namespace": "telemetry"}


def written(folder: Path, name: str, **kafka: Any) -> Path:
    """Write manifests of a variant, each into a file, as the provider does."""
    config = VARIANTS[name]
    return written_as(folder, {**config, "kafka": {**config.get("kafka", {}), **kafka}})


def written_as(folder: Path, changed: dict[str, Any]) -> Path:
    folder.mkdir()
    for one in tree(run_program(changed), changed).objects:
        if one["metadata"]["name"] in KEPT:
            (folder / f"{one['kind']}-{one['metadata']['name']}.yaml").write_text(dump([one]))
    return folder


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("phase3-small", {"kafka.mode": "builtin", "kafka.brokers": 1, "kafka.partitions": 6}),
        ("phase3-large", {"kafka.mode": "builtin", "kafka.brokers": 3, "kafka.partitions": 12}),
        ("phase3-strimzi", {"kafka.mode": "strimzi", "kafka.brokers": 3, "kafka.partitions": 6}),
        (
            "phase4-small",
            {
                "kafka.mode": "builtin",
                "kafka.brokers": 1,
                "kafka.partitions": 6,
                "postgres.mode": "builtin",
                "postgres.database": "grafana",
                "postgres.username": "grafana",
            },
        ),
    ],
)
def test_what_is_fixed_is_found_in_what_is_rendered(
    tmp_path: Path, name: str, fixed: dict[str, object]
) -> None:
    found = fixed_values(written(tmp_path / "manifests", name))
    assert found == {"kubernetes.namespace": "observability", **fixed}


def test_the_namespace_is_found_in_whichever_folder_it_is(tmp_path: Path) -> None:
    """It was among all other objects before it got a folder that ``kubectl apply`` takes first."""
    former = written(tmp_path / "former", "phase3-small")
    wanted = written_as(tmp_path / "wanted", {**VARIANTS["phase3-small"], "kubernetes": ELSEWHERE})
    (file,) = wanted.glob("Namespace-*.yaml")
    (wanted / FIRST_APPLIED).mkdir()
    file.rename(wanted / FIRST_APPLIED / file.name)
    with pytest.raises(OpsError, match=r"kubernetes\.namespace: telemetry: .*made with observability"):
        refuse_other_places(former, wanted)


@pytest.mark.parametrize("name", ["phase3-medium", "phase3-strimzi"])
def test_other_numbers_are_refused_all_at_once(tmp_path: Path, name: str) -> None:
    former = written(tmp_path / "former", name)
    with pytest.raises(OpsError) as caught:
        refuse_other_places(former, written(tmp_path / "wanted", name, brokers=1, partitions=12))
    for key, first, wanted in (("brokers", 3, 1), ("partitions", 6, 12)):
        assert f"kafka.{key}: {wanted}: this stack was made with {first}." in caught.value.message
        assert f"Set kafka.{key}: {first}." in caught.value.message
    refuse_other_places(former, written(tmp_path / "same", name, retention="12h"))


def test_topics_that_others_make_have_numbers_of_their_own(tmp_path: Path) -> None:
    former = written(tmp_path / "former", "phase3-external-kafka", createTopics=True)
    places = {"kubernetes.namespace": "observability", "kafka.mode": "external"}
    assert fixed_values(former) == {**places, "kafka.partitions": 6}
    wanted = written(tmp_path / "wanted", "phase3-external-kafka", partitions=12)
    assert (wanted / "Deployment-kafka-topics.yaml").exists()
    assert fixed_values(wanted) == places
    refuse_other_places(former, wanted)


OTHER_DATABASE = {"mode": "external", "host": "db.example.com", "passwordSecret": "grafana-database"}


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("phase3-medium", {"kafka": {"mode": "strimzi"}}, "kafka.mode: strimzi: .* made with builtin"),
        (
            "phase3-medium",
            {"kubernetes": ELSEWHERE},
            "kubernetes.namespace: telemetry: .* made with observability",
        ),
        ("phase4-small", {"postgres": OTHER_DATABASE}, "postgres.mode: external: .* made with builtin"),
        (
            "phase4-small",
            {"postgres": {"database": "boards"}},
            "postgres.database: boards: .* made with grafana",
        ),
        (
            "phase4-small",
            {"postgres": {"username": "boards"}},
            "postgres.username: boards: .* made with grafana",
        ),
    ],
)
def test_data_is_not_left_behind(tmp_path: Path, name: str, changes: dict[str, Any], message: str) -> None:
    former = written(tmp_path / "former", name)
    with pytest.raises(OpsError, match=message) as caught:
        refuse_other_places(former, written_as(tmp_path / "wanted", {**VARIANTS[name], **changes}))
    assert "--new" in caught.value.advice


def test_the_way_to_phase_four_and_back_is_open(tmp_path: Path) -> None:
    third = written(tmp_path / "third", "phase3-small")
    fourth = written(tmp_path / "fourth", "phase4-small")
    refuse_other_places(third, fourth)
    refuse_other_places(fourth, third)


def test_texts_that_look_like_objects_are_none(tmp_path: Path) -> None:
    text = "kind: ConfigMap\nmetadata: {name: kafka}\ndata:\n  a: |\n    kind: StatefulSet\n"
    (tmp_path / "ConfigMap-kafka.yaml").write_text(text)
    assert fixed_values(tmp_path) == {}


def test_a_first_rendering_has_nothing_to_keep_to(tmp_path: Path) -> None:
    refuse_other_places(tmp_path / "absent", written(tmp_path / "wanted", "phase3-small"))


def test_a_manifest_that_git_could_not_merge_is_named(tmp_path: Path) -> None:
    former = written(tmp_path / "former", "phase3-small")
    (former / "StatefulSet-kafka.yaml").write_text("<<<<<<< HEAD\nkind: StatefulSet\n=======\n")
    with pytest.raises(OpsError, match=r"StatefulSet-kafka\.yaml is not YAML"):
        refuse_other_places(former, former)
