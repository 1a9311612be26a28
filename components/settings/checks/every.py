"""All checks of the stack configuration, beyond each setting's own type."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.checks.alerting import ALERTING_CHECKS, heard_twice_problem, unheard_problem
from components.settings.checks.buffer import BUFFER_CHECKS, crowded_problem, throttled_problem
from components.settings.checks.copy import COPY_CHECKS
from components.settings.checks.ingest import INGEST_CHECKS, tls_warnings
from components.settings.checks.kafka import KAFKA_CHECKS
from components.settings.checks.kubernetes import KUBERNETES_CHECKS
from components.settings.checks.postgres import POSTGRES_CHECKS
from components.settings.checks.stack import STACK_CHECKS, ceiling_problem
from components.settings.checks.storage import STORAGE_CHECKS
from components.settings.checks.store_room import starved_stores
from components.settings.checks.stores import STORES_CHECKS
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem

CHECKS: tuple[Check, ...] = (
    *STACK_CHECKS,
    *INGEST_CHECKS,
    *KAFKA_CHECKS,
    *BUFFER_CHECKS,
    *COPY_CHECKS,
    *KUBERNETES_CHECKS,
    *POSTGRES_CHECKS,
    *STORES_CHECKS,
    *STORAGE_CHECKS,
    *ALERTING_CHECKS,
)
"""What is refused, in the order in which mistakes are listed."""


_DOUBTS = (ceiling_problem, unheard_problem, heard_twice_problem, throttled_problem, crowded_problem)


def doubtful(settings: SettingsModel) -> Iterator[Problem]:
    """List what is allowed but worth a warning."""
    for check in _DOUBTS:
        problem = check(settings)
        if problem is not None:
            yield problem
    yield from tls_warnings(settings)
    yield from starved_stores(settings)
