"""What operators deal with, read from the engine's state."""

from __future__ import annotations

from typing import Any

from components.platform import docker as platform
from components.settings import Settings
from ops.docker.images import image_references
from ops.docker.names import NETWORK, PROGRAM_OF_VOLUME
from ops.inventory import (
    CONTAINER,
    MEMORY,
    PASSWORD,
    REMEMBERED,
    STRIMZI,
    VOLUME,
    Inventory,
    take_inventory,
)
from tests.support.program import run_program, unwrapped
from tests.support.variants import CLUSTER_VARIANTS


def resource(kind: str, name: str, **inputs: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "urn": f"urn:pulumi:dev::otel-stack::{kind}::{name}",
        "inputs": {"name": name, **inputs},
    }


def test_programs_probes_data_and_what_is_kept() -> None:
    found = take_inventory(
        [
            resource("pulumi:pulumi:Stack", "otel-stack-dev"),
            resource(VOLUME, "otel-storage"),
            resource(VOLUME, "otel-collector-config-80380e31"),
            resource(CONTAINER, "otel-collector-config-80380e31", start=False),
            resource(CONTAINER, "otel-storage-owner", start=False),
            resource(CONTAINER, "otel-collector"),
            resource(CONTAINER, "otel-collector-ready"),
            resource(PASSWORD, "grafana-admin-password"),
            resource(MEMORY, "kafka-brokers", input=3),
            resource(MEMORY, "kafka-traces-partitions", input=6),
            resource(f"{STRIMZI}v1:KafkaTopic", "otlp-traces"),
            {**resource(CONTAINER, "left-to-delete"), "delete": True},
        ]
    )
    assert found == Inventory(
        programs=("otel-collector",),
        probes={"otel-collector": "otel-collector-ready"},
        data_volumes=("otel-storage",),
        kept_urns=(
            f"urn:pulumi:dev::otel-stack::{VOLUME}::otel-storage",
            f"urn:pulumi:dev::otel-stack::{PASSWORD}::grafana-admin-password",
            f"urn:pulumi:dev::otel-stack::{MEMORY}::kafka-brokers",
            f"urn:pulumi:dev::otel-stack::{STRIMZI}v1:KafkaTopic::otlp-traces",
        ),
    )


def inventory_of(config: dict[str, Any]) -> tuple[Inventory, set[str]]:
    """The inventory of the program itself, and the images that it runs."""
    result = run_program(config)
    exported = [
        {"type": one.type, "urn": f"urn::{one.name}", "inputs": unwrapped(one.inputs)}
        for one in result.resources
    ]
    images = {str(one.plain("name")) for one in result.of("docker:index/remoteImage:RemoteImage")}
    return take_inventory(exported), images


def test_inventory_of_the_first_phase() -> None:
    found, images = inventory_of({})
    assert set(found.programs) == {"otel-collector", "jaeger", "prometheus", "loki", "grafana"}
    assert found.probes == {"otel-collector": "otel-collector-ready"}
    assert set(found.data_volumes) == set(PROGRAM_OF_VOLUME)
    assert images == set(image_references(Settings.load({})))


def test_inventory_of_the_second_phase() -> None:
    found, images = inventory_of({"phase": 2})
    assert {"haproxy", "jaeger", "prometheus", "loki", "grafana"} < set(found.programs)
    assert all("config" not in volume for volume in found.data_volumes)
    assert images == set(image_references(Settings.load({"phase": 2})))
    assert {urn.rpartition("::")[2] for urn in found.kept_urns} >= set(REMEMBERED)


def test_all_that_strimzi_is_asked_for_outlives_down() -> None:
    result = run_program(CLUSTER_VARIANTS["phase3-strimzi"])
    asked = [one for one in result.resources if one.inputs.get("apiVersion") == "kafka.strimzi.io/v1"]
    kept = take_inventory([{"type": one.type, "urn": one.name, "inputs": {}} for one in asked]).kept_urns
    assert set(kept) == {one.name for one in asked}
    kinds = {one.inputs["kind"] for one in asked}
    assert kinds == {"Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser"}


def test_network_is_that_of_the_program() -> None:
    assert platform.NETWORK == NETWORK
