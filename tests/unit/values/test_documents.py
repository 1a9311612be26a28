from __future__ import annotations

import pytest
import yaml

from components.values.documents import CONFIGS, Document, replaced, texts


def test_sets_only_what_the_file_has() -> None:
    document = Document({"a": {"b": [1, 2]}})
    assert document.set("a", "b", 1, to=5).get("a", "b") == [1, 5]
    for keys in [("a", "c"), ("a", "b", 2), ("a", "b", 0, "x"), ("z",)]:
        with pytest.raises(KeyError, match=r"no .* in the configuration file"):
            document.set(*keys, to=0)
        with pytest.raises(KeyError):
            document.remove(*keys)


def test_replaces_only_text_that_the_file_has() -> None:
    document = Document({"a": ["older than 23h"]})
    assert document.replace("a", 0, old="23h", new="2h").get("a") == ["older than 2h"]
    with pytest.raises(KeyError, match="does not hold '23h'"):
        document.replace("a", 0, old="23h", new="1h")


def test_replaces_in_texts_what_stands_there_as_often_as_expected() -> None:
    text = "for: 12h # half\nrange: 12h\n"
    assert replaced(text, "12h", "6h", times=2) == "for: 6h # half\nrange: 6h\n"
    for times in (0, 1, 3):
        with pytest.raises(ValueError, match=f"'12h' occurs 2 times .*, not {times} times"):
            replaced(text, "12h", "6h", times=times)


def test_keeps_the_files_order_and_writes_repeated_values_out() -> None:
    shared = {"enabled": True}
    text = Document({"z": shared, "a": shared}).dump()
    assert text == "z:\n  enabled: true\na:\n  enabled: true\n"


def test_does_not_change_what_it_was_given() -> None:
    given = {"a": {"b": 1}}
    Document(given).set("a", "b", to=2)
    assert given == {"a": {"b": 1}}


def test_files_come_in_order() -> None:
    paths = list(texts(".", "**/*.yaml"))
    assert paths == sorted(paths)
    assert paths


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=str)
def test_every_configuration_file_is_yaml(path: object) -> None:
    assert yaml.safe_load(open(str(path), encoding="utf-8"))  # noqa: SIM115, PTH123


@pytest.mark.parametrize("path", ["otel-gateway/gateway.yaml", "otel-processor/processor.yaml"])
def test_brokers_get_nothing_that_needs_a_native_library_to_unpack(path: str) -> None:
    exporters = Document.read(path).get("exporters")
    producers = [exporter["producer"] for name, exporter in exporters.items() if name.startswith("kafka/")]
    assert producers
    assert {producer.get("compression", "none") for producer in producers} <= {"none", "gzip", "lz4"}
