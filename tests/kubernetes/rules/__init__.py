"""Rules that hold for the objects of every stack; each yields what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tests.kubernetes.rules import network, objects, pods
from tests.support.manifests import Tree

Rule = Callable[[Tree], Iterator[str]]

RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        pods.confined,
        pods.limited,
        pods.probed,
        pods.pinned,
        pods.knows_its_limit,
        pods.finishes,
        objects.bounded,
        objects.scaled_by_one,
        objects.scales_calmly,
        objects.scalers_can_log_in,
        objects.services_lead_somewhere,
        objects.ways_in_lead_somewhere,
        objects.accounts_are_used,
        objects.references_exist,
        objects.belongs_together,
        network.denied_by_default,
        network.names_can_be_asked,
        network.used_edges_are_allowed,
        network.allowed_edges_are_used,
        network.opened_to_all_on_purpose,
    )
}
"""Name -> rule."""
