"""Whether anybody is notified of alerts, and what must hold between the settings for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem


def unheard_problem(settings: SettingsModel) -> Problem | None:
    """Report that nobody is notified of alerts; on one node, which may be somebody's own, that is no news."""
    alerting = settings.alerting
    if settings.phase >= ON_OBJECT_STORAGE:
        key, named, whom = "contactPoints", bool(alerting.contact_points), "a contact point"
    else:
        key, named, whom = "alertmanagers", bool(alerting.alertmanagers), "an Alertmanager"
    if named or settings.phase < WITH_KAFKA or _operator_notifies(settings):
        return None
    return Problem(
        key=f"alerting.{key}",
        value="[]",
        message=f"alerts are sent to nobody; name {whom}, or watch Grafana yourself",
    )


def heard_twice_problem(settings: SettingsModel) -> Problem | None:
    """Report that the operator's Prometheus notifies of the same alerts."""
    if not settings.alerting.alertmanagers or not _operator_notifies(settings):
        return None
    return Problem(
        key="alerting.alertmanagers",
        value="set",
        message="under kubernetes.monitoring: prometheus-operator your Prometheus sends the same alerts, all "
        "but those on copies of Kafka's partitions and on span metrics; unless you want those, remove it",
    )


def _operator_notifies(settings: SettingsModel) -> bool:
    return (
        ON_KUBERNETES <= settings.phase < ON_OBJECT_STORAGE
        and settings.kubernetes.monitoring == "prometheus-operator"
    )


def _alertmanagers_are_elsewhere(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse the loopback address, which in a container is the container."""
    for index, url in enumerate(settings.alerting.alertmanagers):
        host = urlsplit(url).hostname or ""
        if host == "localhost" or host.startswith("127."):
            yield Problem(
                key=f"alerting.alertmanagers.{index}",
                value=url,
                message="to Prometheus this is its own container; write a name or address that it can reach: "
                "on Docker the host's, or a container's in the network observability",
            )


def _contact_points_differ(settings: SettingsModel) -> Iterator[Problem]:
    names = Counter(point.name for point in settings.alerting.contact_points)
    for name, count in names.items():
        if count > 1:
            yield Problem(
                key="alerting.contactPoints",
                value=name,
                message=f"{count} contact points have this name; give each its own",
            )


ALERTING_CHECKS: tuple[Check, ...] = (
    Check(reads=("alerting",), run=_alertmanagers_are_elsewhere),
    Check(reads=("alerting",), run=_contact_points_differ),
)
