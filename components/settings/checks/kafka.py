"""Whose Kafka the buffer is, who creates its topics, and how programs log in to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import yaml

from components.sections.phase_numbers import ON_KUBERNETES, WITH_KAFKA
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem

_NOT_TAKEN = re.compile(r'["\\\x00-\x1f\x7f]|\$[${]')
"""What JAAS reads as the end of a string or as an escape, and what a collector expands in any value."""


def _external_is_whole(settings: SettingsModel) -> Iterator[Problem]:
    kafka = settings.kafka
    if kafka.mode == "external" and not kafka.bootstrap_servers:
        yield Problem(
            key="kafka.bootstrapServers",
            value=[],
            message="kafka.mode: external needs the host:port of its brokers",
        )
    if kafka.mode != "external" and kafka.bootstrap_servers:
        yield Problem(
            key="kafka.bootstrapServers",
            value=list(kafka.bootstrap_servers),
            message="only for kafka.mode: external; set that, or remove the servers",
        )


def _brokers_are_its_own(settings: SettingsModel) -> Iterator[Problem]:
    kafka = settings.kafka
    if kafka.mode == "external" and kafka.brokers is not None:
        yield Problem(
            key="kafka.brokers",
            value=kafka.brokers,
            message="only for the stack's own brokers; kafka.mode: external takes those of "
            "kafka.bootstrapServers as they are. Remove it",
        )


def _login_is_whole(settings: SettingsModel) -> Iterator[Problem]:
    security = settings.kafka.security
    if settings.kafka.mode != "external":
        return
    if (security.mechanism is None) != (security.username is None):
        yield Problem(
            key="kafka.security.username",
            value=security.username,
            message="mechanism and username belong together; set both or none",
        )
    kept_elsewhere = settings.kubernetes.existing_secrets.kafka is not None
    if security.mechanism is None or settings.kafka_password or kept_elsewhere:
        return
    if settings.phase >= ON_KUBERNETES and settings.kubernetes.render is not None:
        yield Problem(
            key="kubernetes.existingSecrets.kafka",
            value=None,
            message="kafka.security.mechanism needs it: manifests in Git must not hold secrets, so name one "
            "in the namespace with the key password",
        )
    else:
        yield Problem(
            key="kafkaPassword",
            value=None,
            message="kafka.security.mechanism needs it. Remove kafka.security, set the password, put it "
            "back: docs/phases.md, An existing Kafka, has the command",
        )


def _login_is_of_use(settings: SettingsModel) -> Iterator[Problem]:
    kafka, kept_elsewhere = settings.kafka, settings.kubernetes.existing_secrets.kafka
    if kafka.mode == "external" or settings.phase < WITH_KAFKA:
        return
    given = {
        "kafka.security.mechanism": kafka.security.mechanism,
        "kafka.security.username": kafka.security.username,
        "kafkaPassword": settings.kafka_password and "(secret)",
        "kubernetes.existingSecrets.kafka": kept_elsewhere,
    }
    for key, value in given.items():
        if value is not None:
            yield Problem(
                key=key,
                value=value,
                message=f"only for kafka.mode: external; the brokers of kafka.mode: {kafka.mode} are the "
                "stack's own and know no such login. Remove it",
            )


def _login_is_taken_as_it_is(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse what programs, which parse both out of their configuration, would take for syntax."""
    user, password = settings.kafka.security.username, settings.kafka_password
    if user is not None and _NOT_TAKEN.search(user):
        yield Problem(
            key="kafka.security.username",
            value=user,
            message="Kafka's tools and collectors parse it from their configuration, where a quotation mark "
            '("), a backslash, a line break, $$ and ${ have another meaning; choose another user',
        )
    if password is not None and (_NOT_TAKEN.search(password) or _is_no_text(password)):
        yield Problem(
            key="kafkaPassword",
            value="(secret)",
            message="collectors and Kafka's tools parse it from their configuration, where a quotation mark "
            '("), a backslash, a line break, $$ and ${ have another meaning, as does a password that is '
            "a date, a number of 19 digits or more, or a mapping (a: b, {a}); give the user another password",
        )


def _is_no_text(password: str) -> bool:
    """Tell whether the collector's YAML reads it as a type that its configuration does not accept."""
    try:
        found = yaml.safe_load(password)
    except (yaml.YAMLError, ValueError):
        return False
    return isinstance(found, (date, dict)) or (isinstance(found, int) and abs(found) >= 10**18)


def _authority_is_of_use(settings: SettingsModel) -> Iterator[Problem]:
    kafka, kubernetes = settings.kafka, settings.kubernetes
    given = {
        "kafka.security.ca": kafka.security.ca and "(certificates)",
        "kubernetes.existingSecrets.kafkaCa": kubernetes.existing_secrets.kafka_ca,
    }
    named = {key: value for key, value in given.items() if value is not None}
    for key, value in named.items():
        if kafka.mode != "external" or not kafka.security.tls:
            yield Problem(
                key=key,
                value=value,
                message="only for kafka.mode: external with kafka.security.tls: true; remove it",
            )
    if len(named) > 1:
        yield Problem(
            key="kafka.security.ca",
            value="(certificates)",
            message="kubernetes.existingSecrets.kafkaCa has them already; remove one of the two",
        )
    if kafka.security.ca is not None and settings.phase >= ON_KUBERNETES and kubernetes.render is not None:
        yield Problem(
            key="kafka.security.ca",
            value="(certificates)",
            message="manifests in Git must not hold Secrets: name one of the namespace with the key ca.crt "
            "in kubernetes.existingSecrets.kafkaCa; remove this one",
        )
    if kubernetes.existing_secrets.kafka_ca is not None and settings.phase < ON_KUBERNETES:
        yield Problem(
            key="kubernetes.existingSecrets.kafkaCa",
            value=kubernetes.existing_secrets.kafka_ca,
            message=f"Secrets need Kubernetes, phase {ON_KUBERNETES}; phase {settings.phase} takes "
            "kafka.security.ca",
        )


def _topics_have_a_maker(settings: SettingsModel) -> Iterator[Problem]:
    kafka = settings.kafka
    if kafka.mode == "external":
        return
    if not kafka.create_topics:
        yield Problem(
            key="kafka.createTopics",
            value=False,
            message=f"kafka.mode: {kafka.mode} creates its topics itself; remove this. "
            "Only for kafka.mode: external may somebody else create them",
        )
    if kafka.min_in_sync_replicas is not None:
        yield Problem(
            key="kafka.minInSyncReplicas",
            value=kafka.min_in_sync_replicas,
            message=f"only for kafka.mode: external; kafka.mode: {kafka.mode} requires all copies but one. "
            "Remove this",
        )


KAFKA_CHECKS: tuple[Check, ...] = (
    Check(reads=("kafka",), run=_external_is_whole),
    Check(reads=("kafka",), run=_brokers_are_its_own),
    Check(reads=("phase", "kafka", "kafkaPassword", "kubernetes"), run=_login_is_whole),
    Check(reads=("phase", "kafka", "kafkaPassword", "kubernetes"), run=_login_is_of_use),
    Check(reads=("kafka", "kafkaPassword"), run=_login_is_taken_as_it_is),
    Check(reads=("phase", "kafka", "kubernetes"), run=_authority_is_of_use),
    Check(reads=("kafka",), run=_topics_have_a_maker),
)
