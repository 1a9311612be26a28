"""What must hold between the settings of the buffer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import yaml

from components.phase_numbers import ON_KUBERNETES, WITH_KAFKA
from components.problems import Check, Problem
from components.settings_model import SettingsModel
from components.sizing import declared_rate, with_headroom
from components.sizing_buffer import in_gibibytes, partition_bytes, undecided_spans

_NOT_TAKEN = re.compile(r'["\\\x00-\x1f\x7f]|\$[${]')
"""What JAAS reads as the end of a string or as an escape, and what a collector expands in any value."""

MOST_BALANCED = 16
"""Gateways that HAProxy's configuration names."""

OWN_GATEWAYS = ("haproxy", "otel-gateway", "otel-gateway-headless")
"""Names by which the programs of a stack reach its own OTLP address; the first in phase 2 only."""


SPANS = 10
"""Spans of a usual trace, when all that is known is the rate of spans."""


def throttled_problem(settings: SettingsModel) -> Problem | None:
    """Report that processors would wait for decisions rather than read at the declared rate."""
    sampling = settings.sampling
    if settings.phase < WITH_KAFKA or sampling.mode != "tail" or sampling.max_traces is None:
        return None
    processors = settings.buffer.processor.replicas
    waiting = int(undecided_spans(declared_rate(settings.sizing), sampling, processors) / SPANS)
    if sampling.max_traces >= waiting:
        return None
    return Problem(
        key="sampling.maxTraces",
        value=sampling.max_traces,
        message=f"a processor reads nothing while it holds so many, and at the declared rate, with {SPANS} "
        f"spans a trace, {waiting:,} are undecided at once; raise it, or remove it",
    )


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
    if security.mechanism is None or settings.kafka_password is not None or kept_elsewhere:
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


def _processors_have_partitions(settings: SettingsModel) -> Iterator[Problem]:
    buffer = settings.buffer
    processors, partitions = buffer.processor.replicas, buffer.partitions
    if settings.phase >= WITH_KAFKA and processors > partitions:
        said = settings.sizing.processor.replicas is not None
        yield Problem(
            key="sizing.processor.replicas" if said else "kafka.partitions",
            value=processors if said else partitions,
            message=f"{processors} processors, but a partition for only {partitions} of them: the others "
            f"would idle. Set kafka.partitions to at least {processors}, better twice that",
        )


def _gateways_have_a_name(settings: SettingsModel) -> Iterator[Problem]:
    gateways = settings.buffer.gateway.replicas
    if settings.phase == WITH_KAFKA and gateways > MOST_BALANCED:
        yield Problem(
            key="sizing.eventsPerSecond",
            value=declared_rate(settings.sizing),
            message=f"needs {gateways} gateways, but HAProxy knows {MOST_BALANCED}; move to phase "
            f"{ON_KUBERNETES} (docs/migration-2-to-3.md), or set sizing.gateway.replicas: {MOST_BALANCED} "
            "and more sizing.gateway.cpus",
        )


def _partitions_hold_retention(settings: SettingsModel) -> Iterator[Problem]:
    kafka = settings.kafka
    if settings.phase < WITH_KAFKA or not kafka.create_topics or kafka.retention_size is None:
        return
    rate, partitions = declared_rate(settings.sizing), settings.buffer.partitions
    needed = partition_bytes(rate, kafka.retention, partitions)
    if kafka.retention_size < needed:
        yield Problem(
            key="kafka.retentionSize",
            value=str(kafka.retention_size),
            message=f"{rate:,} events/s fill it before kafka.retention ({kafka.retention}) in each of "
            f"{partitions} partitions, and Kafka would delete unread records; {in_gibibytes(needed)} "
            "suffice: enlarge it, remove it to derive it from the rate, or shorten kafka.retention",
        )


def _volume_holds_retention(settings: SettingsModel) -> Iterator[Problem]:
    volume, kept = settings.sizing.kafka.volume, settings.buffer.kept
    is_own = settings.phase >= WITH_KAFKA and settings.kafka.mode != "external"
    if is_own and volume is not None and volume < kept:
        yield Problem(
            key="sizing.kafka.volume",
            value=str(volume),
            message=f"{declared_rate(settings.sizing):,} events/s fill it before kafka.retention "
            f"({settings.kafka.retention}), and brokers stop; it takes about {with_headroom(kept)}: enlarge "
            "it, or shorten the retention",
        )


def _copy_is_of_kafka(settings: SettingsModel) -> Iterator[Problem]:
    copy = settings.kafka.copy_to
    if copy is None:
        return
    if settings.phase < WITH_KAFKA:
        yield Problem(
            key="kafka.copyTo",
            value=copy.endpoint,
            message=f"a copy is read from Kafka, which phase {settings.phase} does not have; set phase: "
            f"{WITH_KAFKA}, or remove it",
        )
    if copy.ca is not None and not copy.tls:
        yield Problem(
            key="kafka.copyTo.ca",
            value="(certificates)",
            message="only for kafka.copyTo.tls: true; set that, or remove the certificates",
        )


def _published(settings: SettingsModel) -> set[str]:
    """Return the stack's own OTLP addresses on a Docker host; none on Kubernetes."""
    if settings.phase >= ON_KUBERNETES:
        return set()
    ingest, tls, host = settings.ingest, settings.ingest.tls, settings.docker.advertised_host
    own = {f"{host or ingest.bind_address}:{ingest.grpc_port}"}
    return own if tls is None else own | {f"{host or tls.bind_address}:{tls.grpc_port}"}


def _own_names(settings: SettingsModel) -> list[str | None]:
    """Return the names that lead to the stack's own gateways, whatever the port."""
    if settings.phase < ON_KUBERNETES:
        return [*OWN_GATEWAYS]
    section = settings.kubernetes
    domains = ("", *(f".{section.namespace}{end}" for end in ("", ".svc", ".svc.cluster.local")))
    return [section.exposure.otlp_grpc_host, *(f"{name}{end}" for name in OWN_GATEWAYS for end in domains)]


def _copy_leaves_the_stack(settings: SettingsModel) -> Iterator[Problem]:
    copy = settings.kafka.copy_to
    if copy is None:
        return
    if copy.endpoint in _published(settings) or copy.endpoint.rpartition(":")[0] in _own_names(settings):
        yield Problem(
            key="kafka.copyTo.endpoint",
            value=copy.endpoint,
            message="this stack itself: every record would come back and be copied again, endlessly. Name "
            "the other stack's otlp_grpc_endpoint",
        )


KAFKA_CHECKS: tuple[Check, ...] = (
    Check(reads=("kafka",), run=_external_is_whole),
    Check(reads=("kafka",), run=_brokers_are_its_own),
    Check(reads=("phase", "kafka", "kafkaPassword", "kubernetes"), run=_login_is_whole),
    Check(reads=("phase", "kafka", "kafkaPassword", "kubernetes"), run=_login_is_of_use),
    Check(reads=("kafka", "kafkaPassword"), run=_login_is_taken_as_it_is),
    Check(reads=("phase", "kafka", "kubernetes"), run=_authority_is_of_use),
    Check(reads=("kafka",), run=_topics_have_a_maker),
    Check(reads=("phase", "sizing", "kafka", "sampling"), run=_processors_have_partitions),
    Check(reads=("phase", "sizing", "kafka", "sampling"), run=_gateways_have_a_name),
    Check(reads=("phase", "sizing", "kafka", "sampling"), run=_partitions_hold_retention),
    Check(reads=("phase", "sizing", "kafka", "sampling"), run=_volume_holds_retention),
    Check(reads=("phase", "kafka"), run=_copy_is_of_kafka),
    Check(reads=("phase", "kafka", "ingest", "docker", "kubernetes"), run=_copy_leaves_the_stack),
)
