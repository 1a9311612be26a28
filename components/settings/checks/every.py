"""What must hold between settings, beyond each one's own type."""

from __future__ import annotations

from components.settings.checks.alerting import ALERTING_CHECKS
from components.settings.checks.buffer import BUFFER_CHECKS
from components.settings.checks.copy import COPY_CHECKS
from components.settings.checks.ingest import INGEST_CHECKS
from components.settings.checks.kafka import KAFKA_CHECKS
from components.settings.checks.kubernetes import KUBERNETES_CHECKS
from components.settings.checks.phase4 import PHASE4_CHECKS
from components.settings.checks.stack import STACK_CHECKS
from components.settings.checks.storage import STORAGE_CHECKS
from components.settings.problems import Check

CHECKS: tuple[Check, ...] = (
    *STACK_CHECKS,
    *INGEST_CHECKS,
    *KAFKA_CHECKS,
    *BUFFER_CHECKS,
    *COPY_CHECKS,
    *KUBERNETES_CHECKS,
    *PHASE4_CHECKS,
    *STORAGE_CHECKS,
    *ALERTING_CHECKS,
)
