"""Settings that are given but that the chosen phase, or another setting, makes useless."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from pydantic.alias_generators import to_camel

from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.settings.model import SettingsModel
from components.settings.problems import Problem

Phases = Sequence[int]
Key = tuple[str, object, str, str]
"""A key, the section that holds it and its name there, and why it would be of no use."""

_LAST = ON_OBJECT_STORAGE
_ON_DOCKER = range(1, ON_KUBERNETES)
_OF_NODE_STORES = range(1, ON_OBJECT_STORAGE)
_OF_OBJECT_STORES = range(ON_OBJECT_STORAGE, _LAST + 1)
_BEFORE_OBJECT_STORES = tuple(_OF_NODE_STORES)
"""What belongs to these phases alone: unlike their stores, it does not stay for a while in phase 4."""

SECTION_PHASES: Mapping[str, Phases] = {
    "query": _ON_DOCKER,
    "docker": _ON_DOCKER,
    "ingest_tls_key": _ON_DOCKER,
    "kafka": range(WITH_KAFKA, _LAST + 1),
    "kafka_password": range(WITH_KAFKA, _LAST + 1),
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
    ("ingest", "tls"): _ON_DOCKER,
    ("grafana", "bind_address"): _ON_DOCKER,
    ("grafana", "port"): _ON_DOCKER,
    ("query", "haproxy_port"): (WITH_KAFKA,),
    ("retention", "metrics_size"): _OF_NODE_STORES,
    ("sizing.grafana", "volume"): _BEFORE_OBJECT_STORES,
    ("grafana", "replicas"): _OF_OBJECT_STORES,
    ("grafana", "oidc"): _OF_OBJECT_STORES,
    ("grafana", "profiles_url"): _OF_OBJECT_STORES,
    ("alerting", "alertmanagers"): _BEFORE_OBJECT_STORES,
    ("alerting", "contact_points"): _OF_OBJECT_STORES,
    ("alerting", "smtp"): _OF_OBJECT_STORES,
}
"""Section, or program in ``sizing``, and key in it -> phases that use that key, where others apply to all."""


@dataclass(frozen=True, kw_only=True)
class Idle:
    """Keys that another setting makes useless.

    Attributes:
        section: where they are, in snake case.
        keys: which.
        when: whether the other setting has that value.
        why: that setting and what it means.
    """

    section: str
    keys: Sequence[str]
    when: Callable[[SettingsModel], bool]
    why: str


IDLE: Sequence[Idle] = (
    Idle(
        section="sizing",
        keys=("kafka",),
        when=lambda settings: settings.kafka.mode == "external",
        why="kafka.mode: external does not use it; who runs the brokers sizes them",
    ),
    Idle(
        section="kafka",
        keys=("min_in_sync_replicas", "retention_size"),
        when=lambda settings: not settings.kafka.create_topics,
        why="kafka.createTopics: false does not use it; who makes the topics sets it",
    ),
    Idle(
        section="sampling",
        keys=("slower_than", "decision_wait", "max_traces"),
        when=lambda settings: settings.sampling.mode != "tail",
        why="only sampling.mode: tail uses it",
    ),
    Idle(
        section="sampling",
        keys=("keep_percent",),
        when=lambda settings: settings.sampling.mode == "none",
        why="sampling.mode: none does not use it; all traces are kept",
    ),
    Idle(
        section="kafka.security",
        keys=("tls",),
        when=lambda settings: settings.kafka.mode != "external",
        why="only kafka.mode: external uses it",
    ),
    Idle(
        section="autoscaling",
        keys=("lag_threshold", "keda_namespace"),
        when=lambda settings: settings.autoscaling.lag is None,
        why="only autoscaling.lag: keda uses it",
    ),
    Idle(
        section="autoscaling.processor",
        keys=("cpu_percent",),
        when=lambda settings: settings.autoscaling.lag == "keda",
        why="autoscaling.lag: keda does not use it; processors scale by what they have still to read",
    ),
    Idle(
        section="kubernetes",
        keys=("monitoring_namespace",),
        when=lambda settings: settings.kubernetes.monitoring == "annotations",
        why="only kubernetes.monitoring: prometheus-operator uses it",
    ),
    Idle(
        section="stores",
        keys=("parts",),
        when=lambda settings: settings.store_size.shape == "single",
        why="only stores.shape: split has such parts",
    ),
    Idle(
        section="object_storage",
        keys=("aws",),
        when=lambda settings: settings.object_storage.provider == "s3",
        why="only objectStorage.provider: aws uses it",
    ),
    Idle(
        section="object_storage",
        keys=("s3",),
        when=lambda settings: settings.object_storage.provider == "aws",
        why="only objectStorage.provider: s3 uses it",
    ),
    Idle(
        section="alerting",
        keys=("smtp",),
        when=lambda settings: not settings.alerting.sends_mail,
        why="only a contact point of type email uses it",
    ),
    Idle(
        section="postgres",
        keys=("memory", "cpus", "volume", "backups_kept", "backups_volume"),
        when=lambda settings: settings.postgres.mode == "external",
        why="postgres.mode: external does not use it; who runs the database sizes it and backs it up",
    ),
)


STRIMZI = "kafka.mode: strimzi does not use it; the operator has images of its own, by kafka.version"
"""Why an image of Kafka's would be of no use."""


def unused_problems(settings: SettingsModel) -> Iterator[Problem]:
    """Name what is set for another phase, or along with a setting that makes it useless; each once."""
    told: set[str] = set()
    for key, holder, name, why in (*_of_other_phases(settings), *_idle(settings)):
        if _is_set(holder, name) and not any(f"{key}.".startswith(f"{one}.") for one in told):
            told.add(key)
            yield Problem(key=key, value="set", message=why)
    if (
        settings.phase >= ON_KUBERNETES
        and settings.kafka.mode == "strimzi"
        and "kafka" in settings.images.overrides
    ):
        yield Problem(key="images.overrides.kafka", value="set", message=STRIMZI)


def _of_other_phases(settings: SettingsModel) -> Iterator[Key]:
    """Return the sections, the programs in ``sizing``, and single keys that are for another phase."""
    for key, holder, name, of in _limited(settings):
        if settings.phase not in of and not (settings.has_node_stores and of is _OF_NODE_STORES):
            yield key, holder, name, f"phase {settings.phase} does not use it; {_named(of)}"


def _idle(settings: SettingsModel) -> Iterator[Key]:
    """Return the keys that another setting makes useless."""
    for idle in IDLE:
        if idle.when(settings):
            for name in idle.keys:
                key = ".".join(map(to_camel, (*idle.section.split("."), name)))
                yield key, attrgetter(idle.section)(settings), name, idle.why


def _is_set(holder: object, name: str) -> bool:
    """Return whether a key of a section has another value than it has unset."""
    return bool(getattr(holder, name) != getattr(type(holder)(), name))


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
