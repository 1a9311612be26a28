"""Settings and sizing of phase 4's stores."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest

from components.collector_processor import GROUPS
from components.composition.consumer_groups import WRITERS, stack_groups
from components.kafka.topics import SAMPLED, TOPICS
from components.sections.stores import Shape
from components.settings import Settings, SettingsError
from components.sizing import SHARES
from components.sizing.batches import MOST_ANSWER, MOST_REQUEST, largest_delivery
from components.sizing.programs import PRESETS, STORED_BYTES
from components.sizing.store_parts import PARTS
from components.sizing.stores import (
    BUCKET_OUTAGE,
    HOUR,
    KEPT_SECONDS,
    SIGNALS,
    SPLIT_ABOVE,
    disk_bytes,
)
from components.stores.cluster import workload_of
from components.values.documents import CONFIGS
from components.values.quantities import gibibytes
from tests.support.variants_phase4 import OBJECT_VARIANTS

SMALL = OBJECT_VARIANTS["phase4-small"]
OIDC = OBJECT_VARIANTS["phase4-everything-set"]["grafana"]["oidc"]
CHANGING = OBJECT_VARIANTS["phase4-changing-over"]


def settings(**sections: Any) -> Settings:
    return Settings.load({**SMALL, **sections})


@pytest.mark.parametrize(
    ("rate", "shape"), [(1, "single"), (SPLIT_ABOVE, "single"), (SPLIT_ABOVE + 1, "split")]
)
def test_shape_follows_the_rate(rate: int, shape: str) -> None:
    size = settings(sizing={"eventsPerSecond": rate}).store_size
    assert size.shape == shape
    assert set(size.parts) == {part.name for store in PARTS.values() for part in store[size.shape]}


@pytest.mark.parametrize("shape", get_args(Shape))
@pytest.mark.parametrize("store", PARTS)
def test_one_workload_of_a_store_has_the_data_and_one_each_is_written_to_and_read(
    store: str, shape: Shape
) -> None:
    parts = PARTS[store][shape]
    for role in ("keeper", "writer", "reader"):
        assert sum(role in part.roles for part in parts) == 1
    assert workload_of(store, shape, "keeper") == parts[0].name == PARTS[store]["single"][0].name


def test_roles_that_no_workload_has_are_told() -> None:
    with pytest.raises(KeyError, match="tempo has no backend in shape split"):
        workload_of("tempo", "split", "backend")


@pytest.mark.parametrize("shape", ["single", "split"])
def test_shape_may_be_chosen(shape: str) -> None:
    assert settings(stores={"shape": shape}).store_size.shape == shape


def test_more_events_are_never_less_of_anything() -> None:
    rates = [1, 1_000, 10_000, 50_000, 100_000, 400_000]
    sizes = [settings(sizing={"eventsPerSecond": rate}).store_size for rate in rates]
    for one, other in itertools.pairwise(sizes):
        assert one.series <= other.series
        for store in ("tempo", "mimir", "loki-cluster"):
            assert one.parts[store].replicas <= other.parts[store].replicas
            assert one.parts[store].each.memory <= other.parts[store].each.memory


def test_limits_may_be_set_one_by_one() -> None:
    wanted = {"mimir": {"memory": "6GiB", "maxSeries": 5}, "loki": {"rate": "3MiB"}}
    size = settings(stores=wanted).store_size
    assert size.parts["mimir"].each.memory == gibibytes(6)
    assert size.series == 5
    assert str(size.log_bytes_per_second) == "3MiB"


def room(preset: str, signal: str, share: float) -> float:
    """Hours of one signal in what a replica has left: of its disk, or of a share of its memory."""
    size = settings(sizing={"preset": preset}).store_size
    name = {store: PARTS[store]["single"][0].name for store in PARTS}
    each = size.parts[name[next(store for store, its in SIGNALS.items() if its == signal)]].each
    rate = PRESETS[preset] * SHARES[signal]
    in_use = rate * disk_bytes(signal) * KEPT_SECONDS[signal]
    left = each.memory.bytes * share if share else each.volume.bytes - in_use
    return left / (rate * STORED_BYTES[signal] * 3600)


@pytest.mark.parametrize(("preset", "column"), [("small", 2), ("medium", 3), ("large", 4)])
def test_documents_say_how_long_stores_do_without_their_bucket(preset: str, column: int) -> None:
    lines = (CONFIGS.parent / "docs" / "phase4.md").read_text().splitlines()

    def said(start: str) -> str:
        return next(line for line in lines if line.startswith(start)).split("|")[column].strip()

    assert room(preset, "traces", 0) * HOUR >= BUCKET_OUTAGE["traces"]
    assert said("| Tempo, on its disk") == f"{int(room(preset, 'traces', 0))} h"
    assert said("| Loki, in half of its memory") == f"{int(60 * room(preset, 'logs', 0.5))} min"
    assert said("| Mimir, on its disk") == "days"
    assert room(preset, "metrics", 0) >= 48


@pytest.mark.parametrize(
    ("wrong", "key", "words"),
    [
        ({"postgres": {"mode": "external"}}, "postgres.host", "such as db.example.com"),
        ({"postgres": {"mode": "external"}}, "postgres.passwordSecret", "a Secret in the stack's namespace"),
        ({"postgres": {"host": "db.example.com"}}, "postgres.host", "only for postgres.mode: external"),
        ({"postgres": {"port": 5433}}, "postgres.port", "only for postgres.mode: external"),
        ({"postgres": {"tls": "require"}}, "postgres.tls", "only for postgres.mode: external"),
        ({"postgres": {"caSecret": "ca"}}, "postgres.caSecret", "only for postgres.mode: external"),
        (
            {"postgres": {"mode": "external", "host": "db", "passwordSecret": "database"}},
            "postgres.host",
            "a name without a namespace, or ending in -headless, means one of the stack's own programs",
        ),
        ({"grafana": {"profilesUrl": "http://pyroscope:4040"}}, "grafana.profilesUrl", "a name without a "),
        *(
            ({"postgres": {"username": name}}, f"postgres.username: '{name}'", "write a database user: up to")
            for name in ("pg_grafana", "public", "none", "1st", "a b")
        ),
        ({"stores": {"tenant": "a/b"}}, "stores.tenant", "a tenant"),
        ({"stores": {"tempo": {"maxTraceSize": "51MiB"}}}, "stores.tempo.maxTraceSize", "up to 50MiB: "),
        ({"stores": {"tempo": {"memory": "8MiB"}}}, "stores.tempo.memory", "needs at least"),
        ({"stores": {"loki": {"memory": "511MiB"}}}, "stores.loki.memory", "loki needs at least 512MiB"),
        ({"postgres": {"memory": "255MiB"}}, "postgres.memory", "postgres needs at least 256MiB"),
        (
            {"stores": {"tempo": {"maxAttributeSize": "5MB"}}},
            "stores.tempo.maxAttributeSize",
            "a whole trace may have 5MB",
        ),
        (
            {**OBJECT_VARIANTS["phase4-aws"], "postgres": {"backupsKept": "34d"}},
            "postgres.backupsKept",
            "keep them at least 2 days less",
        ),
        ({"phase": 3, "stores": {"phase3": "written"}}, "stores.phase3", "set phase: 4"),
        (
            {"alerting": {"contactPoints": [{"name": "a", "type": "slack", "secret": "s"}] * 2}},
            "alerting.contactPoints",
            "give each its own",
        ),
        (
            {"alerting": {"contactPoints": [{"name": "on.call", "type": "slack", "secret": "s"}]}},
            "alerting.contactPoints.0.name",
            "write up to 40 lower-case letters, digits, hyphens",
        ),
        (
            {
                "alerting": {
                    "contactPoints": [{"name": "a", "type": "slack", "secret": "s", "severities": []}]
                }
            },
            "alerting.contactPoints.0.severities: []",
            "name at least one; without this key it has its default",
        ),
        ({"grafana": {"replicas": 1}}, "grafana.replicas", "2"),
    ],
)
def test_mistakes_are_told(wrong: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(SettingsError) as told:
        settings(**wrong)
    assert key in str(told.value)
    assert words in str(told.value)


@pytest.mark.parametrize("name", ["pgbouncer", "_pg_x", "publica", "nonesuch", "Grafana", "app@example"])
def test_other_names_of_database_users_are_taken(name: str) -> None:
    assert settings(postgres={"username": name}).postgres.username == name


@pytest.mark.parametrize(
    ("signal", "kept", "said"),
    [
        ("traces", "90m", "Tempo keeps traces for whole hours, 1 at least; set 2h"),
        ("metrics", "1s", "Mimir keeps metrics for whole hours, 1 at least; set 1h"),
        ("logs", "23h", "Loki keeps logs for whole hours, 24 at least; set 24h"),
        ("logs", "1441m", "Loki keeps logs for whole hours, 24 at least; set 25h"),
    ],
)
def test_retention_is_what_the_stores_can_be_told(signal: str, kept: str, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"retention\.{signal}: '{kept}': {said}, or longer"):
        settings(retention={signal: kept})
    assert Settings.load({"retention": {signal: kept}})


def test_whole_hours_are_kept() -> None:
    assert (
        settings(retention={"traces": "1h", "metrics": "7200s", "logs": "1d"}).retention.traces.seconds
        == 3600
    )


EXPOSED = {"otlpGrpcHost": "grpc.example.com", "otlpHttpHost": "http.example.com"}


@pytest.mark.parametrize("exposure", [{}, {"type": "LoadBalancer", **EXPOSED}], ids=["inside", "OTLP only"])
def test_sign_in_needs_an_address_that_browsers_reach(exposure: dict[str, Any]) -> None:
    kubernetes = {**SMALL["kubernetes"], "exposure": exposure}
    with pytest.raises(SettingsError, match=r"grafana\.rootUrl: not set: .*https://grafana\.example\.com"):
        settings(grafana={"oidc": OIDC}, kubernetes=kubernetes)


@pytest.mark.parametrize(
    ("grafana", "exposure"),
    [
        ({}, {"type": "LoadBalancer", **EXPOSED, "grafanaHost": "grafana.example.com"}),
        ({"rootUrl": "http://localhost:3000"}, {}),
    ],
    ids=["published", "forwarded"],
)
def test_sign_in_is_possible_where_they_do(grafana: dict[str, Any], exposure: dict[str, Any]) -> None:
    kubernetes = {**SMALL["kubernetes"], "exposure": exposure}
    assert settings(grafana={"oidc": OIDC, **grafana}, kubernetes=kubernetes).grafana.oidc


def test_earlier_phases_have_no_sign_in() -> None:
    assert Settings.load({"grafana": {"oidc": OIDC}}).grafana.oidc


@pytest.mark.parametrize("name", ["a" * 41, "On-call", "-team", "nobody", "empty", ""])
def test_names_of_contact_points_that_grafana_or_mimir_would_not_take_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"alerting\.contactPoints\.0\.name: .*as Grafana accepts"):
        settings(alerting={"contactPoints": [{"name": name, "type": "slack", "secret": "slack"}]})


@pytest.mark.parametrize("name", ["a" * 40, "on-call", "nobody-else", "2nd"])
def test_other_names_of_contact_points_are_taken(name: str) -> None:
    point = {"name": name, "type": "slack", "secret": "slack"}
    assert settings(alerting={"contactPoints": [point]}).alerting.contact_points[0].name == name


def test_a_stack_that_tells_nobody_is_warned_of() -> None:
    said = "alerting.contactPoints: []: alerts are sent to nobody"
    assert [warning.startswith(said) for warning in settings().warnings()] == [True]
    points = [{"name": "on-call", "type": "slack", "secret": "slack"}]
    assert settings(alerting={"contactPoints": points}).warnings() == []


def test_a_stack_whose_critical_alerts_nobody_hears_is_warned_of() -> None:
    def warned(*severities: str) -> list[str]:
        points = [
            {"name": f"of-{one}", "type": "slack", "secret": "slack", "severities": [one]}
            for one in severities
        ]
        return settings(alerting={"contactPoints": points}).warnings()

    said = "critical alerts are sent to nobody; add critical to the severities of one"
    assert warned("warning") == [f"alerting.contactPoints: ['warning']: {said}"]
    assert warned("warning", "critical") == []
    assert warned("critical") == []


@pytest.mark.parametrize(
    ("variant", "postgres"),
    [
        ("phase4-aws", {"backupsKept": "33d"}),
        ("phase4-small", {"backupsKept": "90d"}),
        (
            "phase4-aws",
            {"backupsKept": "90d", "mode": "external", "host": "db.example.com", "passwordSecret": "db"},
        ),
    ],
)
def test_dumps_may_stay_where_none_comes_again(variant: str, postgres: dict[str, Any]) -> None:
    assert Settings.load({**OBJECT_VARIANTS[variant], "postgres": postgres}).postgres.backups_kept


@pytest.mark.parametrize(
    ("stores", "mode", "groups"),
    [
        (
            {"phase3": "written"},
            "none",
            {*WRITERS.values(), *GROUPS.values()},
        ),
        (
            {"phase3": "absent"},
            "tail",
            {
                "otel-trace-processors",
                "otel-metric-writers",
                "otel-log-writers",
                "otel-sampled-writers",
            },
        ),
    ],
)
def test_a_stack_knows_its_consumer_groups(stores: dict[str, Any], mode: str, groups: set[str]) -> None:
    found = stack_groups(settings(stores=stores, sampling={"mode": mode}))
    assert found.keys() == groups
    assert found["otel-log-writers"] == "otlp-logs"
    assert set(found.values()) == {*TOPICS.values(), SAMPLED}


def test_requests_are_as_large_as_tempo_takes_them_where_jaeger_is_not_written() -> None:
    assert largest_delivery(MOST_REQUEST) <= MOST_ANSWER
    Settings.load({**SMALL, "ingest": {"maxMessageSize": "49MiB"}})
    with pytest.raises(
        SettingsError, match=r"ingest\.maxMessageSize: '50MiB': up to 49MiB: a record in Kafka"
    ):
        Settings.load({**SMALL, "ingest": {"maxMessageSize": "50MiB"}})
    with pytest.raises(
        SettingsError, match=r"ingest\.maxMessageSize: '9MiB': up to 8MiB where Jaeger stores"
    ):
        Settings.load({**CHANGING, "ingest": {"maxMessageSize": "9MiB"}})
