"""Whether anybody is notified of alerts, and what must hold between the settings for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic.alias_generators import to_camel

from components.sections.alerting import IMPLICIT_TLS, ContactPoint
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
    if settings.phase < WITH_KAFKA or _operator_notifies(settings):
        return None
    if not named:
        message = f"alerts are sent to nobody; name {whom}, or watch Grafana yourself"
        return Problem(key=f"alerting.{key}", value="[]", message=message)
    heard = {one for point in alerting.contact_points for one in point.severities}
    if settings.phase >= ON_OBJECT_STORAGE and "critical" not in heard:
        message = "critical alerts are sent to nobody; add critical to the severities of one"
        return Problem(key="alerting.contactPoints", value=sorted(heard), message=message)
    return None


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


def _contact_points_are_whole(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse contact points that lack what their type needs, or have what it has no use for."""
    for index, point in enumerate(settings.alerting.contact_points):
        for name, message in _mistakes(point):
            value = getattr(point, name) or None
            key = f"alerting.contactPoints.{index}.{to_camel(name)}"
            yield Problem(key=key, value=list(value) if isinstance(value, tuple) else value, message=message)


def _mistakes(point: ContactPoint) -> Iterator[tuple[str, str]]:
    """Return what is wrong with a contact point, by the field's name."""
    if point.type == "email":
        if not point.addresses:
            yield "addresses", "type email needs a list of at least one, such as [ops@example.com]"
        if point.secret is not None:
            yield "secret", "not for type email, whose login is in alerting.smtp; remove it"
        if point.port != ContactPoint.port:
            yield "port", "not for type email, which has that of alerting.smtp; remove it"
        return
    if point.secret is None:
        what = "the name of a Secret in the stack's namespace with the address"
        yield "secret", f"type {point.type} needs {what}, such as {point.type}"
    if point.addresses:
        yield "addresses", f"only for type email; the address of {point.type} is in its Secret; remove them"


def _mail_has_a_server(settings: SettingsModel) -> Iterator[Problem]:
    if settings.alerting.sends_mail and settings.alerting.smtp is None:
        yield Problem(
            key="alerting.smtp",
            value=None,
            message="contact points of type email need it: host and fromAddress, for most servers a login",
        )


def _login_is_whole(settings: SettingsModel) -> Iterator[Problem]:
    smtp = settings.alerting.smtp
    if smtp is None:
        return
    if smtp.username is not None and smtp.password_secret is None:
        yield Problem(
            key="alerting.smtp.passwordSecret",
            value=None,
            message="alerting.smtp.username needs the name of a Secret in the stack's namespace with the key "
            "password, such as smtp",
        )
    if smtp.username is None and smtp.password_secret is not None:
        yield Problem(
            key="alerting.smtp.passwordSecret",
            value=smtp.password_secret,
            message="only with alerting.smtp.username; set that, or remove this",
        )


def _login_is_encrypted(settings: SettingsModel) -> Iterator[Problem]:
    smtp = settings.alerting.smtp
    if smtp is None or smtp.tls:
        return
    if smtp.port == IMPLICIT_TLS:
        message = f"port {IMPLICIT_TLS} always has TLS; remove this, or set another port"
        yield Problem(key="alerting.smtp.tls", value=False, message=message)
    elif smtp.username is not None:
        message = "the password would travel in clear; remove this, or username and passwordSecret"
        yield Problem(key="alerting.smtp.tls", value=False, message=message)


ALERTING_CHECKS: tuple[Check, ...] = (
    Check(reads=("alerting",), run=_alertmanagers_are_elsewhere),
    Check(reads=("alerting",), run=_contact_points_differ),
    Check(reads=("alerting",), run=_contact_points_are_whole),
    Check(reads=("alerting",), run=_mail_has_a_server),
    Check(reads=("alerting",), run=_login_is_whole),
    Check(reads=("alerting",), run=_login_is_encrypted),
)
