"""Settings that are given but that the chosen phase, or a program that others run, makes useless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

from pydantic.alias_generators import to_camel

from components.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.problems import Problem
from components.sections import ProgramSizing
from components.sections_phase4 import PostgresSection
from components.settings_model import SettingsModel

Phases = Sequence[int]

_LAST = ON_OBJECT_STORAGE
_ON_DOCKER = range(1, ON_KUBERNETES)
_OF_NODE_STORES = range(1, ON_OBJECT_STORAGE)
_OF_OBJECT_STORES = range(ON_OBJECT_STORAGE, _LAST + 1)
_OF_ONE_GRAFANA = tuple(_OF_NODE_STORES)
"""It has a volume; unlike the stores of these phases, it does not stay for a while in phase 4."""

SECTION_PHASES: Mapping[str, Phases] = {
    "query": _ON_DOCKER,
    "docker": _ON_DOCKER,
    "kafka": range(WITH_KAFKA, _LAST + 1),
    "sampling": range(WITH_KAFKA, _LAST + 1),
    "kubernetes": range(ON_KUBERNETES, _LAST + 1),
    "autoscaling": range(ON_KUBERNETES, _LAST + 1),
    "object_storage": range(ON_KUBERNETES, _LAST + 1),
    "stores": _OF_OBJECT_STORES,
    "postgres": _OF_OBJECT_STORES,
}
"""Section -> phases that use it; buckets stay when a stack goes back to phase 3. The others apply to all."""

SIZING_PHASES: Mapping[str, Phases] = {
    "collector": _ON_DOCKER,
    "gateway": range(WITH_KAFKA, _LAST + 1),
    "processor": range(WITH_KAFKA, _LAST + 1),
    "kafka": range(WITH_KAFKA, _LAST + 1),
    "haproxy": (WITH_KAFKA, ON_OBJECT_STORAGE),
    "jaeger": _OF_NODE_STORES,
    "loki": _OF_NODE_STORES,
}
"""Program in ``sizing`` -> phases that run it. ``prometheus`` sizes the agent in phase 4."""

KEY_PHASES: Mapping[tuple[str, str], Phases] = {
    ("ingest", "bind_address"): _ON_DOCKER,
    ("ingest", "grpc_port"): _ON_DOCKER,
    ("ingest", "http_port"): _ON_DOCKER,
    ("grafana", "bind_address"): _ON_DOCKER,
    ("grafana", "port"): _ON_DOCKER,
    ("retention", "metrics_size"): _OF_NODE_STORES,
    ("sizing.grafana", "volume"): _OF_ONE_GRAFANA,
    ("grafana", "replicas"): _OF_OBJECT_STORES,
    ("grafana", "oidc"): _OF_OBJECT_STORES,
    ("grafana", "profiles_url"): _OF_OBJECT_STORES,
    ("alerting", "contact_points"): _OF_OBJECT_STORES,
}
"""Section, or program in ``sizing``, and key in it -> phases that use that key, where others apply to all."""


OF_OWN_POSTGRES = ("memory", "cpus", "volume", "backups_kept", "backups_volume")
"""Keys of ``postgres`` that only the stack's own PostgreSQL has a use for."""


def unused_problems(settings: SettingsModel) -> Iterator[Problem]:
    """Name what is set for another phase, or for a program that others run."""
    yield from _of_other_phases(settings)
    yield from _of_others(settings)


def _of_other_phases(settings: SettingsModel) -> Iterator[Problem]:
    """Name the sections, the programs in ``sizing``, and single keys that are set for another phase."""
    for key, holder, name, of in _limited(settings):
        used = settings.phase in of or (settings.has_node_stores and of is _OF_NODE_STORES)
        if not used and getattr(holder, name) != getattr(type(holder)(), name):
            yield Problem(
                key=key,
                value="set",
                message=f"phase {settings.phase} does not use it; {_named(of)}",
            )


def _of_others(settings: SettingsModel) -> Iterator[Problem]:
    """Name what sizes Kafka's brokers or PostgreSQL where somebody else runs them."""
    given: list[tuple[str, str]] = []
    brokers, postgres, unset = settings.sizing.kafka, settings.postgres, PostgresSection()
    if settings.phase >= WITH_KAFKA and settings.kafka.mode == "external" and brokers != ProgramSizing():
        given.append(("sizing.kafka", "kafka"))
    if settings.phase >= ON_OBJECT_STORAGE and postgres.mode == "external":
        given.extend(
            (f"postgres.{to_camel(name)}", "postgres")
            for name in OF_OWN_POSTGRES
            if getattr(postgres, name) != getattr(unset, name)
        )
    for key, section in given:
        yield Problem(
            key=key,
            value="set",
            message=f"{section}.mode: external does not use it; who runs that program sizes it",
        )


def _limited(settings: SettingsModel) -> Iterator[tuple[str, object, str, Phases]]:
    """Return the key of each such setting, what holds it and by which name, and the phases that use it."""
    for section, of in SECTION_PHASES.items():
        yield to_camel(section), settings, section, of
    for program, of in SIZING_PHASES.items():
        yield f"sizing.{program}", settings.sizing, program, of
    for (section, name), of in KEY_PHASES.items():
        yield f"{section}.{to_camel(name)}", attrgetter(section)(settings), name, of


def _named(phases: Phases) -> str:
    *others, last = map(str, phases)
    return f"phase {last} does" if not others else f"phases {', '.join(others)} and {last} do"
