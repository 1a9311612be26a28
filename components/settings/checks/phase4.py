"""What must hold between the settings of phase 4's stores and database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter

from pydantic.alias_generators import to_camel

from components.sections.phase4 import PostgresSection
from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem
from components.sizing.batches import MOST_ANSWER, MOST_TRACE
from components.values.quantities import Duration, Size, days, mebibytes

DUMP_LAG = days(2)
"""How much later than its age says a dump leaves the volume: ages count in whole days, and are checked once a
day."""

HOUR = 3600
LEAST_HOURS: Mapping[str, tuple[str, int]] = {
    "traces": ("Tempo", 1),
    "metrics": ("Mimir", 1),
    "logs": ("Loki", 24),
}
"""Signal -> its store, and the hours that it has to keep it. Loki's documentation names that minimum ("Log
retention"); hours are the unit that all three are told."""

LEAST_MEMORY: Mapping[str, Size] = {
    "stores.tempo": mebibytes(256),
    "stores.mimir": mebibytes(256),
    "stores.loki": mebibytes(512),
    "postgres": mebibytes(256),
}
"""Section -> memory limit that each replica needs. Loki's caches of answers take up to 100 MB of it,
PostgreSQL's shared buffers 128."""


def _database_is_whole(settings: SettingsModel) -> Iterator[Problem]:
    postgres = settings.postgres
    if postgres.mode == "builtin":
        unset = PostgresSection()
        for name in ("host", "port", "tls", "ca_secret"):
            value = getattr(postgres, name)
            if value != getattr(unset, name):
                yield Problem(
                    key=f"postgres.{to_camel(name)}",
                    value=value,
                    message="only for postgres.mode: external, has no effect on the builtin one; set that "
                    "mode, or remove this",
                )
        return
    needed = {
        "host": (postgres.host, "the server's name, such as db.example.com"),
        "passwordSecret": (
            postgres.password_secret,
            "the name of a Secret in the stack's namespace with the key password, such as grafana-database",
        ),
    }
    for key, (value, what) in needed.items():
        if value is None:
            yield Problem(key=f"postgres.{key}", value=None, message=f"postgres.mode: external needs {what}")


def _sign_in_comes_back(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse sign-in whose provider sends browsers back to an address inside the cluster."""
    grafana, exposure = settings.grafana, settings.kubernetes.exposure
    if settings.phase < ON_OBJECT_STORAGE or grafana.oidc is None:
        return
    is_published = exposure.type != "ClusterIP" and exposure.grafana_host is not None
    if grafana.root_url is None and not is_published:
        yield Problem(
            key="grafana.rootUrl",
            value=None,
            message="grafana.oidc sends browsers back to Grafana's address, which is one inside the cluster; "
            "set the one that people type, such as https://grafana.example.com, or "
            "kubernetes.exposure.grafanaHost with a type other than ClusterIP",
        )


def _phase3_only_in_phase4(settings: SettingsModel) -> Iterator[Problem]:
    wanted = settings.stores.phase3
    if wanted != "absent" and settings.phase < ON_OBJECT_STORAGE:
        yield Problem(
            key="stores.phase3",
            value=wanted,
            message=f"phase {settings.phase} has these stores anyway; set phase: 4, or remove it",
        )


def _stores_have_memory(settings: SettingsModel) -> Iterator[Problem]:
    for section, least in LEAST_MEMORY.items():
        memory = attrgetter(section)(settings).memory
        if memory is not None and memory < least:
            yield Problem(
                key=f"{section}.memory",
                value=str(memory),
                message=f"{section.rpartition('.')[2]} needs at least {least}",
            )


def _traces_can_be_queried(settings: SettingsModel) -> Iterator[Problem]:
    largest = settings.stores.tempo.max_trace_size
    if largest > MOST_TRACE:
        yield Problem(
            key="stores.tempo.maxTraceSize",
            value=str(largest),
            message=f"up to {MOST_TRACE}: an answer may be twice as large as its trace, and Tempo receives "
            f"none over {MOST_ANSWER}, so nobody could open it. Lower it; further spans are then rejected",
        )


def _stores_can_count_their_retention(settings: SettingsModel) -> Iterator[Problem]:
    if settings.phase < ON_OBJECT_STORAGE:
        return
    for signal, (store, fewest) in LEAST_HOURS.items():
        kept = getattr(settings.retention, signal)
        whole = Duration(max(fewest, -(-kept.seconds // HOUR)) * HOUR)
        if kept != whole:
            yield Problem(
                key=f"retention.{signal}",
                value=str(kept),
                message=f"{store} keeps {signal} for whole hours, {fewest} at least; set "
                f"{whole.in_unit('h')}, or longer",
            )


def _attributes_fit_their_trace(settings: SettingsModel) -> Iterator[Problem]:
    tempo = settings.stores.tempo
    if tempo.max_attribute_size >= tempo.max_trace_size:
        yield Problem(
            key="stores.tempo.maxAttributeSize",
            value=str(tempo.max_attribute_size),
            message=f"a whole trace may have {tempo.max_trace_size}; stay below that, for example at 64KiB",
        )


def _expired_dumps_stay_away(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse dumps that outlive those in S3: the folder is uploaded as it is, and would restore them."""
    if settings.phase < ON_OBJECT_STORAGE or settings.object_storage.provider != "aws":
        return
    kept, most = settings.postgres.backups_kept, settings.object_storage.aws.backups_kept
    if settings.postgres.mode == "builtin" and kept.seconds + DUMP_LAG.seconds > most.seconds:
        yield Problem(
            key="postgres.backupsKept",
            value=str(kept),
            message=f"S3 deletes dumps at objectStorage.aws.backupsKept, {most}, and the next upload would "
            "bring them back; keep them at least 2 days less than that",
        )


PHASE4_CHECKS: tuple[Check, ...] = (
    Check(reads=("postgres",), run=_database_is_whole),
    Check(reads=("phase", "grafana", "kubernetes"), run=_sign_in_comes_back),
    Check(reads=("phase", "stores"), run=_phase3_only_in_phase4),
    Check(reads=("postgres", "stores"), run=_stores_have_memory),
    Check(reads=("phase", "retention"), run=_stores_can_count_their_retention),
    Check(reads=("stores",), run=_traces_can_be_queried),
    Check(reads=("stores",), run=_attributes_fit_their_trace),
    Check(reads=("phase", "objectStorage", "postgres"), run=_expired_dumps_stay_away),
)
