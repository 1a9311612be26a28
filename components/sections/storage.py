"""The sections of the stack configuration for object storage: where the buckets are, who may use them."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic.dataclasses import dataclass

from components.sections.forms import HOST, PORT, STRICT, Text
from components.sections.kubernetes import ObjectName
from components.values.quantities import Duration, days

_RESERVED_STARTS = r"xn--|sthree-|amzn-s3-demo-"
_RESERVED_ENDS = r"-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3"
_NO_LABELS = r"([0-9]+\.){3}[0-9]+$|.*(\.\.|\.-|-\.)"
"""An address, and dots that separate no labels of a host name: the stores' client of S3 takes neither."""

BucketName = Annotated[
    str,
    Text(
        rf"(?!{_RESERVED_STARTS})(?!.*({_RESERVED_ENDS})$)(?!{_NO_LABELS})[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]",
        "a bucket's name: 3 to 63 lower-case letters, digits, hyphens; no IP address, no dot beside a dot or "
        "hyphen, and nothing that S3 reserves: xn--, sthree- or amzn-s3-demo- at the beginning, -s3alias, "
        "--ol-s3, .mrap, --x-s3 or --table-s3 at the end",
    ),
]
BucketPrefix = Annotated[
    str,
    Text(
        rf"(?!{_RESERVED_STARTS})[a-z0-9][a-z0-9-]{{1,29}}",
        "2 to 30 lower-case letters, digits or hyphens that nobody else's buckets begin with",
    ),
]
Region = Annotated[str, Text(r"([a-z]{2}|eusc)(-[a-z]+)+-[0-9]", "a region, such as eu-central-1")]
KmsKeyArn = Annotated[
    str,
    Text(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+", "arn:aws:kms:REGION:ACCOUNT:key/ID"),
]
OidcProviderArn = Annotated[
    str,
    Text(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/[A-Za-z0-9./_-]+",
        "arn:aws:iam::ACCOUNT:oidc-provider/oidc.eks.REGION.amazonaws.com/id/ID",
    ),
]
ClusterName = Annotated[
    str, Text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", "the name of an EKS cluster, not its address or ARN")
]
ServiceHost = Annotated[
    str, Text(f"{HOST}(:{PORT})?", "host or host:port, without https:// and path, the port up to 65535")
]
S3Region = Annotated[str, Text(r"[A-Za-z0-9][A-Za-z0-9-]*", "the service's name for its region")]

INSIDE = (".svc", ".svc.cluster.local")
"""Endings of names that stay inside a cluster."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BucketNames:
    """Names of individual buckets, in place of ``<bucketPrefix>-<environment>-<purpose>``.

    Attributes:
        traces: blocks of Tempo.
        metrics: blocks of Mimir.
        ruler: rules of Mimir.
        alertmanager: state of Mimir's Alertmanager.
        logs: chunks and index of Loki.
        backups: dumps of Grafana's database.
    """

    traces: BucketName | None = None
    metrics: BucketName | None = None
    ruler: BucketName | None = None
    alertmanager: BucketName | None = None
    logs: BucketName | None = None
    backups: BucketName | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AwsStorage:
    """Buckets that the stack creates on AWS.

    Attributes:
        region: where the buckets and the cluster are; protected buckets do not move.
        access: how pods get their role: ``podIdentity`` needs the EKS Pod Identity agent and ``clusterName``,
            ``irsa`` an OIDC provider of the cluster.
        cluster_name: EKS cluster, for ``podIdentity``.
        oidc_provider_arn: the cluster's OIDC provider, for ``irsa``.
        kms_key_arn: key that encrypts all buckets; S3's own keys by default.
        on_destroy: ``keep`` protects the buckets and leaves them on AWS; ``delete`` empties and deletes them,
            but not in an environment named like production.
        infrequent_access_after: age at which traces, metrics and logs move to cheaper storage if they are
            kept 30 days longer than that.
        backups_kept: age at which backups are deleted.
        check_credentials: ask AWS whom the credentials belong to; false for previews out of its reach.
        tags: additional tags for buckets and roles.
    """

    region: Region | None = None
    access: Literal["podIdentity", "irsa"] = "podIdentity"
    cluster_name: ClusterName | None = None
    oidc_provider_arn: OidcProviderArn | None = None
    kms_key_arn: KmsKeyArn | None = None
    on_destroy: Literal["keep", "delete"] = "keep"
    infrequent_access_after: Duration = days(30)
    backups_kept: Duration = days(35)
    check_credentials: bool = True
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StoreSecrets:
    """Secrets of individual stores, in place of ``credentialsSecret``.

    Attributes:
        tempo: may use the bucket of traces.
        mimir: may use those of metrics, rules and the Alertmanager.
        loki: may use the bucket of logs.
        backups: may add to the bucket of backups.
    """

    tempo: ObjectName | None = None
    mimir: ObjectName | None = None
    loki: ObjectName | None = None
    backups: ObjectName | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class S3Storage:
    """Existing buckets, on any service that speaks S3.

    Attributes:
        endpoint: ``host`` or ``host:port`` of the service.
        region: what the service calls its region.
        path_style: write the bucket's name into the path, not into the host name.
        tls: false uses plain HTTP; only for a service in the same cluster.
        credentials_secret: Secret in the stack's namespace, with key ``credentials``: a file in the format of
            AWS's tools.
        store_secrets: the same for individual stores, so that none can use another's buckets.
        ca_secret: Secret in the stack's namespace, with key ``ca.crt``, for a certificate of no public CA.
    """

    endpoint: ServiceHost | None = None
    region: S3Region = "us-east-1"
    path_style: bool = True
    tls: bool = True
    credentials_secret: ObjectName | None = None
    store_secrets: StoreSecrets = field(default_factory=StoreSecrets)
    ca_secret: ObjectName | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ObjectStorageSection:
    """Where the stores of phase 4 keep their data.

    Attributes:
        provider: ``aws`` creates buckets on AWS; ``s3`` uses existing ones, on any service that speaks S3.
        bucket_prefix: first part of all bucket names, which must be unique in all of AWS.
        buckets: names of individual buckets.
        aws: buckets on AWS.
        s3: existing buckets.
    """

    provider: Literal["aws", "s3"] = "aws"
    bucket_prefix: BucketPrefix | None = None
    buckets: BucketNames = field(default_factory=BucketNames)
    aws: AwsStorage = field(default_factory=AwsStorage)
    s3: S3Storage = field(default_factory=S3Storage)
