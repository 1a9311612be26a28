"""Tempo, Mimir and Loki of phase 4: replicas, rings, limits, parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.made import made
from tests.support.manifests import Tree, name_of, tree
from tests.support.phase4 import objects_of, result_of
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

_TEMPO_STYLES = {(True, None): "path", (False, 1): "virtual"}
_MINIO_STYLES = {"path": "path", "virtual-hosted": "virtual"}
"""How clients put it -> where the bucket's name goes: into the path, or into the host name."""


@pytest.mark.parametrize("variant", OBJECT_VARIANTS)
def test_three_copies_on_three_replicas(variant: str) -> None:
    found = objects_of(variant)
    for name in ("tempo", "mimir", "loki-cluster"):
        spec = found.program(name).object["spec"]
        assert spec["replicas"] >= 3, name
        assert spec["podManagementPolicy"] == "Parallel", name
        assert len(spec["volumeClaimTemplates"]) == 1, name
        assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain", name
        budget = next(one for one in found.of("PodDisruptionBudget") if one["metadata"]["name"] == name)
        assert budget["spec"]["maxUnavailable"] == 1, name
    factors = (
        found.document("tempo", "tempo.yaml")["ingester"]["lifecycler"]["ring"]["replication_factor"],
        found.document("mimir", "mimir.yaml")["ingester"]["ring"]["replication_factor"],
        found.document("mimir", "mimir.yaml")["store_gateway"]["sharding_ring"]["replication_factor"],
        found.document("loki-cluster", "loki-cluster.yaml")["common"]["replication_factor"],
    )
    assert factors == (3, 3, 3, 3)


def test_answers_are_waited_for_as_long_as_queries_may_take() -> None:
    """An answer that is cut off is asked for again, up to three times."""
    found = made("phase4-small")
    files = {"tempo": "tempo.yaml", "mimir": "mimir.yaml", "loki-cluster": "loki-cluster.yaml"}
    answered = {found.document(*one)["server"]["http_server_write_timeout"] for one in files.items()}
    assert answered == {"4m"}
    environment = {one["name"]: one.get("value") for one in found.program("grafana").containers[0]["env"]}
    assert environment["GF_DATAPROXY_TIMEOUT"] == "240"
    gateway = found.files(found.program("query-gateway"))["query-gateway.cfg"]
    assert "timeout server 5m" in gateway


def test_a_query_may_have_as_many_series_as_there_may_be_services() -> None:
    found = made("phase4-small", stores={"loki": {"maxStreams": 25_000}})
    limits = found.document("loki-cluster", "loki-cluster.yaml")["limits_config"]
    assert (limits["max_global_streams_per_user"], limits["max_query_series"]) == (25_000, 25_000)


@pytest.mark.parametrize("variant", OBJECT_VARIANTS)
def test_copies_cross_zones_compressed(variant: str) -> None:
    """Tempo does it by itself; the bill between zones counts on all three."""
    for store, file in (("mimir", "mimir.yaml"), ("loki-cluster", "loki-cluster.yaml")):
        client = objects_of(variant).document(store, file)["ingester_client"]
        assert client["grpc_client_config"]["grpc_compression"] == "snappy"


def rings(node: Any, *keys: str) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Find the rings that a configuration file sets, an ingester's of Tempo in the lifecycler around it."""
    for key, child in node.items() if isinstance(node, dict) else ():
        if key in {"ring", "sharding_ring"}:
            yield (*keys, key), node if "address" in node else child
        else:
            yield from rings(child, *keys, key)


@pytest.mark.parametrize(("store", "count"), [("tempo", 3), ("mimir", 8)])
def test_replicas_are_in_every_ring_by_their_address(phase4_small: Tree, store: str, count: int) -> None:
    """Else a program looks for the address of eth0, and does not start where no interface has that name."""
    found = dict(rings(phase4_small.document(store, f"{store}.yaml")))
    addresses = {keys: ring.get("instance_addr", ring.get("address")) for keys, ring in found.items()}
    assert addresses == dict.fromkeys(found, "${POD_IP}")
    assert len(found) == count


def test_long_attributes_are_kept(phase4_small: Tree) -> None:
    most = {
        name: found.document("tempo", "tempo.yaml")["distributor"]["max_attribute_bytes"]
        for name, found in (("small", phase4_small), ("set", objects_of("phase4-everything-set")))
    }
    assert most == {"small": 64 * 2**10, "set": 2**20}


@pytest.mark.parametrize(("largest", "taken"), [(None, 16), ("40MiB", 81)])
def test_tempo_takes_what_a_processor_sends(largest: str | None, taken: int) -> None:
    """From it, from each other, and at once: over the burst it would be told to wait for ever."""
    settings = {**OBJECT_VARIANTS["phase4-small"]}
    if largest is not None:
        settings["ingest"] = {"maxMessageSize": largest}
    found = tree(run_program(settings), settings).document("tempo", "tempo.yaml")
    receiver = found["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]
    assert receiver["max_recv_msg_size_mib"] == taken
    assert found["server"]["grpc_server_max_recv_msg_size"] == taken * 2**20
    assert found["overrides"]["defaults"]["ingestion"]["burst_size_bytes"] >= taken * 2**20


@pytest.mark.parametrize(
    ("tempo", "largest"), [({}, 16 * 2**20), ({"maxTraceSize": "50MiB"}, 100 * 2**20)], ids=["small", "most"]
)
def test_a_trace_that_is_stored_fits_into_an_answer(tempo: dict[str, str], largest: int) -> None:
    """From a replica, and from a querier: else Tempo says "response larger than the max"."""
    settings = {**OBJECT_VARIANTS["phase4-small"], "stores": {"tempo": tempo}}
    found = tree(run_program(settings), settings).document("tempo", "tempo.yaml")
    sizes = {
        found["server"]["grpc_server_max_recv_msg_size"],
        found["server"]["grpc_server_max_send_msg_size"],
        found["querier"]["frontend_worker"]["grpc_client_config"]["max_send_msg_size"],
    }
    assert sizes == {largest}
    assert 2 * found["overrides"]["defaults"]["global"]["max_bytes_per_trace"] <= largest


def bucket_styles(found: Tree) -> dict[str, str]:
    """Where each client of S3 puts the bucket's name, in the words of AWS's own client."""
    tempo = found.document("tempo", "tempo.yaml")["storage"]["trace"]["s3"]
    mimir = found.document("mimir", "mimir.yaml")["common"]["storage"]["s3"]
    loki = found.document("loki-cluster", "loki-cluster.yaml")["storage_config"]["object_store"]["s3"]
    upload = found.files(found.program("postgres-backup"))
    return {
        "tempo": _TEMPO_STYLES[tempo["forcepathstyle"], tempo.get("bucket_lookup_type")],
        "mimir": _MINIO_STYLES[mimir["bucket_lookup_type"]],
        "loki": _MINIO_STYLES[loki["bucket_lookup_type"]],
        "upload": upload["aws-config"].rpartition(" = ")[2].strip(),
    }


@pytest.mark.parametrize(("path_style", "style"), [(True, "path"), (False, "virtual")])
def test_all_clients_put_the_name_of_the_bucket_in_the_same_place(path_style: bool, style: str) -> None:
    """Whoever leaves it to the client gets the path: none of them knows this service."""
    storage = OBJECT_VARIANTS["phase4-small"]["objectStorage"]
    service = {**storage, "s3": {**storage["s3"], "pathStyle": path_style}}
    settings = {**OBJECT_VARIANTS["phase4-small"], "objectStorage": service}
    found = bucket_styles(tree(run_program(settings), settings))
    assert found == dict.fromkeys(("tempo", "mimir", "loki", "upload"), style)


def test_on_aws_it_goes_into_the_host_name() -> None:
    assert set(bucket_styles(objects_of("phase4-aws")).values()) == {"virtual"}


def test_searches_ask_the_replicas_until_others_find_the_block(phase4_small: Tree) -> None:
    found = phase4_small.document("tempo", "tempo.yaml")
    minutes = {
        key: int(value.removesuffix("m"))
        for key, value in (
            ("block", found["ingester"]["max_block_duration"]),
            ("kept", found["ingester"]["complete_block_timeout"]),
            ("list", found["storage"]["trace"]["blocklist_poll"]),
            ("asked", found["query_frontend"]["search"]["query_ingesters_until"]),
        )
    }
    assert minutes["block"] + 2 * minutes["list"] < minutes["asked"] <= minutes["block"] + minutes["kept"]


def test_split_keeps_the_volumes_where_they_are() -> None:
    split, single = objects_of("phase4-split"), objects_of("phase4-small")
    for name in ("tempo", "mimir", "loki-cluster"):
        one, other = (found.program(name).object["spec"] for found in (split, single))
        assert one["serviceName"] == other["serviceName"]
        assert [claim["metadata"] for claim in one["volumeClaimTemplates"]] == [
            claim["metadata"] for claim in other["volumeClaimTemplates"]
        ]
    targets = {
        one.name: next(arg for arg in one.containers[0]["args"] if arg.startswith("-target="))
        for one in split.programs()
        if one.name.startswith(("tempo", "mimir", "loki"))
    }
    assert targets["tempo"] == "-target=ingester"
    assert targets["mimir"] == "-target=distributor,ingester"
    assert len(targets) == 12


class TestStoresInParts:
    def test_rules_are_where_queries_are_answered(self) -> None:
        found = objects_of("phase4-split")
        asked = found.program("query-gateway").environment()
        for store, port in (("mimir", 9009), ("loki", 3100)):
            reader = f"{store}-read"
            (target,) = (one for one in found.program(reader).containers[0]["args"] if "-target=" in one)
            assert {"query-frontend", "ruler"} <= set(target.partition("=")[2].split(","))
            assert asked[store.upper()] == f"{reader}:{port}"

    def test_only_what_evaluates_rules_and_what_notifies_changes_with_them(self) -> None:
        """Replicas that keep data take minutes each to be replaced, and need no contact point's address."""
        points = [{"name": "team", "type": "slack", "secret": "slack", "port": 8443}]
        alerting = {"contactPoints": points, "runbooksUrl": "https://docs.example.com"}
        before, after = objects_of("phase4-split"), made("phase4-split", alerting=alerting)
        rolled = {one.name for one in after.programs() if one != before.program(one.name)}
        assert rolled == {"grafana", "mimir-backend", "mimir-read", "loki-read"}
        open_to_it = {name_of(one) for one in after.of("NetworkPolicy") if "8443" in str(one)}
        assert open_to_it == {"grafana-egress", "mimir-backend-egress"}
        holding = {one.name for one in after.programs() if "secrets/contact-team" in str(one.object)}
        assert holding == {"grafana", "mimir-backend"}

    def test_alerts_know_how_many_replicas_there_are(self) -> None:
        found = objects_of("phase4-split")
        rules = found.document("mimir-read", "rules/otel-stack/sizing.yaml")["groups"][1]["rules"]
        wanted = {rule["labels"]["job"]: int(rule["expr"]) for rule in rules}
        stores = ("tempo", "mimir", "loki-")
        running = {
            one.name: one.object["spec"]["replicas"]
            for one in found.programs()
            if one.name.startswith(stores)
        }
        assert wanted == running

    def test_alerts_know_the_limit_of_streams(self) -> None:
        small = OBJECT_VARIANTS["phase4-small"]
        for given, limit in ((small, 10_000), ({**small, "stores": {"loki": {"maxStreams": 5000}}}, 5000)):
            found = tree(run_program(given), given)
            (rule,) = found.document("mimir", "rules/otel-stack/sizing.yaml")["groups"][2]["rules"]
            loki = found.document("loki-cluster", "loki-cluster.yaml")
            assert (rule["record"], int(rule["expr"])) == ("loki:stream_limit", limit)
            assert loki["limits_config"]["max_global_streams_per_user"] == limit


def test_outputs_name_the_new_stores() -> None:
    outputs = result_of("phase4-small").outputs
    expected = {
        "contract_version": "1",
        "tenant": "otel-stack",
        "traces_query_url": "http://query-gateway.observability.svc:3200",
        "metrics_query_url": "http://query-gateway.observability.svc:9009/prometheus",
        "logs_query_url": "http://query-gateway.observability.svc:3100",
        "traces_datasource_uid": "tempo",
        "metrics_datasource_uid": "mimir",
        "logs_datasource_uid": "loki",
    }
    assert {name: outputs[name] for name in expected} == expected


def test_stores_that_stop_hand_over_first() -> None:
    found = objects_of("phase4-small")
    tempo = found.document("tempo", "tempo.yaml")
    assert tempo["ingester"]["flush_all_on_shutdown"] is True
    mimir = found.document("mimir", "mimir.yaml")
    assert mimir["blocks_storage"]["tsdb"]["flush_blocks_on_shutdown"] is True
    loki = found.document("loki-cluster", "loki-cluster.yaml")
    assert loki["ingester"]["wal"]["flush_on_shutdown"] is True
    for name in ("tempo", "mimir", "loki-cluster"):
        assert found.program(name).pod["terminationGracePeriodSeconds"] >= 300


@pytest.mark.parametrize("variant", ["phase4-small", "phase4-split"])
def test_tempo_is_asked_to_stop_once_its_queue_of_queries_has_forgotten_the_last_one(variant: str) -> None:
    """It may not end before, and its queue is looked through every 30 s."""
    found = objects_of(variant)
    queried = "tempo" if variant == "phase4-small" else "tempo-query-frontend"
    (tempo,), (loki,) = (
        found.program(name).containers
        for name in (queried, "loki-cluster" if variant == "phase4-small" else "loki-read")
    )
    assert tempo["lifecycle"]["preStop"]["sleep"]["seconds"] > 30
    assert loki["lifecycle"]["preStop"]["sleep"]["seconds"] == 5
