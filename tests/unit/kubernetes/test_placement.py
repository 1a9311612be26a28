"""On which nodes pods may run together, and what keeps a node."""

from __future__ import annotations

import pytest

from components.platform.manifests.placement import ONLY_COPY
from components.platform.manifests.pod import EVICTABLE
from tests.support.made import made
from tests.support.placement import PLACED, is_kept_apart, is_spread, spread, spread_over_zones

PEERS = {"kafka", "tempo", "mimir", "loki-cluster", "grafana"}
COLLECTORS = {"otel-gateway", "otel-processor"}


@PLACED
@pytest.mark.parametrize(
    ("variant", "peers", "others"),
    [
        ("phase3-medium", {"kafka"}, COLLECTORS),
        ("phase4-small", PEERS, {*COLLECTORS, "query-gateway"}),
        (
            "phase4-split",
            {*PEERS, "tempo-querier", "mimir-read", "loki-backend"},
            {*COLLECTORS, "query-gateway"},
        ),
    ],
)
def test_brokers_and_stores_are_spread_as_the_settings_say(
    variant: str,
    peers: set[str],
    others: set[str],
    how: str,
    over_zones: tuple[str, str | None],
    *,
    apart: bool,
) -> None:
    pods = {one.name: one.pod for one in spread(variant, how).programs() if is_spread(one.pod)}
    assert peers | others <= pods.keys()
    found = {name: (spread_over_zones(pod), is_kept_apart(pod)) for name, pod in pods.items()}
    wished = (("ScheduleAnyway", None), False)
    assert found == {name: wished if name in others else (over_zones, apart) for name in pods}


@pytest.mark.parametrize(
    ("variant", "alone"),
    [
        ("phase3-small", {"jaeger", "prometheus", "loki", "grafana"}),
        ("phase4-small", {"prometheus-agent", "postgres", "postgres-backup"}),
    ],
)
def test_what_keeps_the_only_copy_of_data_avoids_its_like(variant: str, alone: set[str]) -> None:
    """Only a wish: a single node takes them all, and a volume may leave no choice."""
    programs = made(variant).programs()
    marked = {one.name for one in programs if ONLY_COPY.items() <= one.template["metadata"]["labels"].items()}
    assert marked == alone
    for one in programs:
        if one.name in alone:
            (wish,) = one.pod["affinity"]["podAntiAffinity"][
                "preferredDuringSchedulingIgnoredDuringExecution"
            ]
            assert wish["podAffinityTerm"]["labelSelector"] == {"matchLabels": ONLY_COPY}
            assert not is_kept_apart(one.pod)


@pytest.mark.parametrize("variant", ["phase3-medium", "phase4-small"])
def test_scratch_folders_keep_no_node_from_being_removed(variant: str) -> None:
    """Cluster Autoscaler counts an ``emptyDir`` as data, unless the pod says otherwise."""
    for program in made(variant).programs():
        scratch = [volume["name"] for volume in program.pod["volumes"] if "emptyDir" in volume]
        named = program.template["metadata"]["annotations"].get(EVICTABLE, "")
        assert named.split(",") == (scratch or [""]), program.name
