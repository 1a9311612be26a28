"""Settings that are given but that the chosen phase does not use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic.alias_generators import to_camel

from components.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.problems import Problem
from components.settings_model import SettingsModel

_LAST = ON_OBJECT_STORAGE
_ON_DOCKER = range(1, ON_KUBERNETES)
_OF_NODE_STORES = range(1, ON_OBJECT_STORAGE)
SECTION_PHASES: Mapping[str, range] = {
    "query": _ON_DOCKER,
    "docker": _ON_DOCKER,
    "kafka": range(WITH_KAFKA, _LAST + 1),
    "sampling": range(WITH_KAFKA, _LAST + 1),
    "kubernetes": range(ON_KUBERNETES, _LAST + 1),
    "autoscaling": range(ON_KUBERNETES, _LAST + 1),
    "object_storage": range(ON_KUBERNETES, _LAST + 1),
    "stores": range(ON_OBJECT_STORAGE, _LAST + 1),
    "postgres": range(ON_OBJECT_STORAGE, _LAST + 1),
}
"""Section -> phases that use it; buckets stay when a stack goes back to phase 3. The others apply to all."""

SIZING_PHASES: Mapping[str, range] = {
    "collector": _ON_DOCKER,
    "gateway": range(WITH_KAFKA, _LAST + 1),
    "processor": range(WITH_KAFKA, _LAST + 1),
    "kafka": range(WITH_KAFKA, _LAST + 1),
    "haproxy": range(WITH_KAFKA, ON_KUBERNETES),
    "jaeger": _OF_NODE_STORES,
    "loki": _OF_NODE_STORES,
}
"""Program in ``sizing`` -> phases that run it. ``prometheus`` sizes the agent in phase 4."""


def unused_problems(settings: SettingsModel) -> Iterator[Problem]:
    """Name the sections, and the programs in ``sizing``, that are set for another phase."""
    phases = {
        **{to_camel(section): (getattr(settings, section), of) for section, of in SECTION_PHASES.items()},
        **{f"sizing.{name}": (getattr(settings.sizing, name), of) for name, of in SIZING_PHASES.items()},
    }
    for key, (given, of) in phases.items():
        used = settings.phase in of or (settings.has_node_stores and of is _OF_NODE_STORES)
        if not used and given != type(given)():
            yield Problem(
                key=key,
                value="set",
                message=f"phase {settings.phase} does not use it; {_named(of)}",
            )


def _named(phases: range) -> str:
    *others, last = map(str, phases)
    return f"phase {last} does" if not others else f"phases {', '.join(others)} and {last} do"
