"""Rendered manifests are held against those before them: what topics were made with stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.errors import OpsError
from ops.rendered import fixed_numbers, refuse_other_numbers
from tests.support.manifests import dump, tree
from tests.support.program import run_program
from tests.support.variants import CLUSTER_VARIANTS

KEPT = ("kafka", "kafka-topics", "broker", "otlp-traces", "otlp-logs", "jaeger")
"""Names of the objects that are written: those with numbers, and some beside them."""


def written(folder: Path, name: str, **kafka: Any) -> Path:
    """Write manifests of a variant, each into a file, as the provider does."""
    config = CLUSTER_VARIANTS[name]
    changed = {**config, "kafka": {**config.get("kafka", {}), **kafka}}
    folder.mkdir()
    for one in tree(run_program(changed), changed).objects:
        if one["metadata"]["name"] in KEPT:
            (folder / f"{one['kind']}-{one['metadata']['name']}.yaml").write_text(dump([one]))
    return folder


@pytest.mark.parametrize(
    ("name", "brokers", "topics", "numbers"),
    [
        ("phase3-small", "StatefulSet", "Deployment", (1, 6)),
        ("phase3-large", "StatefulSet", "Deployment", (3, 12)),
        ("phase3-strimzi", "KafkaNodePool", "KafkaTopic", (3, 6)),
    ],
)
def test_numbers_are_found_in_what_is_rendered(
    tmp_path: Path, name: str, brokers: str, topics: str, numbers: tuple[int, int]
) -> None:
    found = fixed_numbers(written(tmp_path / "manifests", name))
    assert found == {(brokers, "brokers"): numbers[0], (topics, "partitions"): numbers[1]}


@pytest.mark.parametrize("name", ["phase3-medium", "phase3-strimzi"])
def test_other_numbers_are_refused_all_at_once(tmp_path: Path, name: str) -> None:
    former = written(tmp_path / "former", name)
    with pytest.raises(OpsError) as caught:
        refuse_other_numbers(former, written(tmp_path / "wanted", name, brokers=1, partitions=12))
    for key, first, wanted in (("brokers", 3, 1), ("partitions", 6, 12)):
        assert f"kafka.{key}: {wanted}: this stack was made with {first}." in caught.value.message
        assert f"Set kafka.{key}: {first}." in caught.value.message
    refuse_other_numbers(former, written(tmp_path / "same", name, retention="12h"))


def test_topics_that_others_make_have_numbers_of_their_own(tmp_path: Path) -> None:
    former = written(tmp_path / "former", "phase3-external-kafka", createTopics=True)
    assert fixed_numbers(former) == {("Deployment", "partitions"): 6}
    wanted = written(tmp_path / "wanted", "phase3-external-kafka", partitions=12)
    assert fixed_numbers(wanted) == {}
    refuse_other_numbers(former, wanted)


def test_kafka_run_in_another_way_is_another_kafka(tmp_path: Path) -> None:
    former = written(tmp_path / "former", "phase3-small")
    refuse_other_numbers(former, written(tmp_path / "wanted", "phase3-strimzi", partitions=12))


def test_texts_that_look_like_objects_are_none(tmp_path: Path) -> None:
    text = "kind: ConfigMap\nmetadata: {name: kafka}\ndata:\n  a: |\n    kind: StatefulSet\n"
    (tmp_path / "ConfigMap-kafka.yaml").write_text(text)
    assert fixed_numbers(tmp_path) == {}


def test_a_first_rendering_has_nothing_to_keep_to(tmp_path: Path) -> None:
    refuse_other_numbers(tmp_path / "absent", written(tmp_path / "wanted", "phase3-small"))


def test_a_manifest_that_git_could_not_merge_is_named(tmp_path: Path) -> None:
    former = written(tmp_path / "former", "phase3-small")
    (former / "StatefulSet-kafka.yaml").write_text("<<<<<<< HEAD\nkind: StatefulSet\n=======\n")
    with pytest.raises(OpsError, match=r"StatefulSet-kafka\.yaml is not YAML"):
        refuse_other_numbers(former, former)
