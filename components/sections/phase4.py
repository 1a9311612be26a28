"""The sections of the stack configuration for phase 4: stores, Grafana's database, logins, alerts."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT, BaseUrl, Count, Cpus, HostName, TcpPort, Text, Url
from components.sections.kubernetes import ObjectName
from components.sections.sizing import ProgramSizing
from components.sections.stack import GrafanaSection
from components.values.quantities import Duration, Size, days, gibibytes

Tenant = Annotated[
    str,
    Text(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "a tenant: up to 100 letters, digits, - _ ."),
]
DatabaseUser = Annotated[
    str,
    Text(
        r"(?!pg_|(public|none)$)[A-Za-z_][A-Za-z0-9_.@-]{0,62}",
        "a database user: up to 63 letters, digits, _ . @ -, first a letter or _; not public, none or "
        "pg_..., which PostgreSQL reserves",
    ),
]
Shape = Literal["single", "split"]
SecretName = ObjectName


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OwnSizing:
    """Limits of one replica that override the sizing's.

    Attributes:
        memory: hard limit.
        cpus: hard limit, in cores.
        volume: disk budget of its data volume.
    """

    memory: Size | None = None
    cpus: Cpus | None = None
    volume: Size | None = None

    @property
    def sizing(self) -> ProgramSizing:
        """The limits in the form common to all programs."""
        return ProgramSizing(memory=self.memory, cpus=self.cpus, volume=self.volume)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TempoSection(OwnSizing):
    """Limits of Tempo; memory, CPU and volume are those of one replica that keeps data.

    Attributes:
        max_trace_size: largest trace that is stored, 50MiB at most; further spans of it are refused.
        max_attribute_size: longest key or value of an attribute; the rest is cut off.
        rate: bytes of spans per second that one replica accepts; from the sizing by default.
        service_graph_series: most series that the metrics generator creates in one replica.
    """

    max_trace_size: Size = Size(5 * 10**6)
    max_attribute_size: Size = Size(64 * 2**10)
    rate: Size | None = None
    service_graph_series: Count = 100_000


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MimirSection(OwnSizing):
    """Limits of Mimir; memory, CPU and volume are those of one replica that keeps data.

    Attributes:
        max_series: series in memory, each counted once; determines the number of replicas. By default, what
            the replicas of the sizing hold.
        samples_per_second: samples accepted; from the sizing by default.
        max_exemplars: exemplars kept.
        rules: ``files`` evaluates the stack's own rules; ``api`` those that teams upload to the ruler bucket
            instead.
    """

    max_series: Count | None = None
    samples_per_second: Count | None = None
    max_exemplars: Count = 100_000
    rules: Literal["files", "api"] = "files"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LokiSection(OwnSizing):
    """Limits of Loki; memory, CPU and volume are those of one replica that keeps data.

    Attributes:
        max_streams: active streams over all replicas. A service is one, and one more for each hour from which
            late records come; what would exceed the limit waits in Kafka.
        rate: bytes of logs per second accepted; from the sizing by default.
    """

    max_streams: Count = 10_000
    rate: Size | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StoresSection:
    """The stores of phase 4.

    Attributes:
        tenant: name under which the stack's telemetry is stored and queried (``X-Scope-OrgID``). What was
            stored under another name stays there.
        shape: ``single`` runs each store as equal replicas of everything; ``split`` as parts that scale
            independently. From the sizing by default.
        phase3: what becomes of Jaeger, Prometheus and the single Loki of phase 3: ``written`` feeds them and
            the new stores, ``readable`` keeps them for queries until their retention ends, ``absent`` removes
            them and keeps their volumes.
        tempo: limits of Tempo.
        mimir: limits of Mimir.
        loki: limits of Loki.
    """

    tenant: Tenant = "otel-stack"
    shape: Shape | None = None
    phase3: Literal["written", "readable", "absent"] = "absent"
    tempo: TempoSection = field(default_factory=TempoSection)
    mimir: MimirSection = field(default_factory=MimirSection)
    loki: LokiSection = field(default_factory=LokiSection)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PostgresSection(OwnSizing):
    """Grafana's database.

    Attributes:
        mode: ``builtin`` runs PostgreSQL on a volume with daily dumps; ``external`` uses an existing one.
        host: name of the external server.
        port: its port.
        database: name of the database.
        username: its owner.
        tls: encryption to an external server; ``verify-full`` verifies certificate and name.
        password_secret: Secret in the stack's namespace with key ``password``; required for ``external``,
            otherwise generated by default.
        ca_secret: Secret whose ``ca.crt`` signs the external server's certificate.
        backups_kept: age at which a dump of the builtin database is deleted from its volume; on AWS at least
            2 days less than ``objectStorage.aws.backupsKept``.
        backups_volume: disk budget of the dumps' volume.
    """

    mode: Literal["builtin", "external"] = "builtin"
    host: HostName | None = None
    port: TcpPort = 5432
    database: Annotated[str, Text(r"[a-z_][a-z0-9_]{0,62}", "a database's name")] = "grafana"
    username: DatabaseUser = "grafana"
    tls: Literal["verify-full", "require", "disable"] = "verify-full"
    password_secret: SecretName | None = None
    ca_secret: SecretName | None = None
    backups_kept: Duration = days(14)
    backups_volume: Size = gibibytes(5)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OidcSection:
    """Sign-in to Grafana through an OpenID Connect provider.

    Attributes:
        name: label of the sign-in button.
        client_id: client ID under which the provider knows Grafana.
        client_secret: Secret in the stack's namespace with key ``client-secret``.
        auth_url: the provider's authorization endpoint.
        token_url: its token endpoint.
        api_url: its user info endpoint.
        scopes: requested scopes; with ``offline_access`` a session outlasts the provider's token.
        role_attribute_path: JMESPath expression over the claims that yields Admin, Editor or Viewer; by
            default everybody is a Viewer.
        allowed_domains: domains of the e-mail addresses that may sign in; all by default.
        allowed_groups: groups, of which a person must be in at least one; by default none is required.
        groups_attribute_path: JMESPath expression over the claims that yields a person's groups.
        only: redirect people to the provider at once and offer no password form.
    """

    name: Annotated[str, Field(min_length=1)] = "OpenID Connect"
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretName
    auth_url: Url
    token_url: Url
    api_url: Url
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    role_attribute_path: str | None = None
    allowed_domains: tuple[HostName, ...] = ()
    allowed_groups: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    groups_attribute_path: Annotated[str, Field(min_length=1)] = "groups"
    only: bool = False


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ClusteredGrafanaSection(GrafanaSection):
    """Grafana's address and administrator, and from phase 4 on its replicas and logins.

    Attributes:
        replicas: replicas in phase 4, behind one address.
        oidc: sign-in through an OpenID Connect provider.
        profiles_url: an existing Pyroscope, whose profiles phase 4's traces link to.
    """

    replicas: Annotated[int, Field(ge=2, le=10)] = 2
    oidc: OidcSection | None = None
    profiles_url: Url | None = None


ContactName = Annotated[
    str,
    Text(
        r"(?!(nobody|empty)$)[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?",
        "up to 40 lower-case letters, digits, hyphens, as Grafana accepts; not nobody or empty, which Mimir "
        "and Grafana use themselves",
    ),
]
Severities = Annotated[tuple[Literal["critical", "warning"], ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ContactPoint:
    """Somebody who is notified of alerts.

    Attributes:
        name: unique name of the contact point.
        type: how they are notified.
        secret: Secret in the namespace, key ``url`` for ``webhook`` and ``slack``, ``routing-key`` for
            ``pagerduty``.
        severities: alerts that they are notified of, by label ``severity``; all of them by default.
        port: TCP port of the address, which the cluster's policies must allow.
    """

    name: ContactName
    type: Literal["webhook", "slack", "pagerduty"]
    secret: SecretName
    severities: Severities = ("critical", "warning")
    port: TcpPort = 443


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AlertingSection:
    """Who is notified of alerts, and where the runbooks are.

    Attributes:
        alertmanagers: existing Alertmanagers to which Prometheus sends its alerts in phases 1 to 3. Without
            login, and with a certificate of a public authority if with ``https``.
        contact_points: phase 4: used by Grafana, and by Mimir's Alertmanager for the rules of Mimir and Loki.
        runbooks_url: URL at which you publish ``docs/``, for runbook links in the alerts of all phases;
            without it they are paths in ``docs/``.
    """

    alertmanagers: tuple[BaseUrl, ...] = ()
    contact_points: tuple[ContactPoint, ...] = ()
    runbooks_url: Url | None = None
