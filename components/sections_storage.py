"""The sections of the stack configuration for object storage: where the buckets are, who may use them."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic.dataclasses import dataclass

from components.quantities import Duration, days
from components.sections import STRICT, Text
from components.sections_kubernetes import ObjectName

BucketName = Annotated[
    str,
    Text(
        r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)",
        "a bucket's name: 3 to 63 lower-case letters, digits and hyphens, no ending or beginning of S3's own",
    ),
]
BucketPrefix = Annotated[
    str,
    Text(
        r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9-]{1,29}",
        "2 to 30 lower-case letters, digits or hyphens that nobody else's buckets begin with",
    ),
]
Region = Annotated[str, Text(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region, such as eu-central-1")]
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
    str, Text(r"[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?", "host or host:port, without https:// and path")
]
S3Region = Annotated[str, Text(r"[A-Za-z0-9][A-Za-z0-9-]*", "the region that the service answers to")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BucketNames:
    """Names of single buckets, in place of ``<bucketPrefix>-<environment>-<purpose>``.

    Attributes:
        traces: blocks of Tempo.
        metrics: blocks of Mimir.
        ruler: rules of Mimir.
        alertmanager: state of Mimir's Alertmanager.
        logs: chunks and index of Loki.
        backups: for dumps of Grafana's database.
    """

    traces: BucketName | None = None
    metrics: BucketName | None = None
    ruler: BucketName | None = None
    alertmanager: BucketName | None = None
    logs: BucketName | None = None
    backups: BucketName | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AwsStorage:
    """Buckets that the stack makes on AWS.

    Attributes:
        region: where the buckets and the cluster are; protected buckets do not move.
        access: how pods get their role: ``podIdentity`` needs the EKS Pod Identity agent and ``clusterName``,
            ``irsa`` an OIDC provider of the cluster.
        cluster_name: EKS cluster, for ``podIdentity``.
        oidc_provider_arn: the cluster's OIDC provider, for ``irsa``.
        kms_key_arn: key that encrypts all buckets; keys of S3 itself when nothing is said.
        on_destroy: ``keep`` protects the buckets and leaves them on AWS; ``delete`` empties and deletes them,
            but not in an environment that is named like production.
        infrequent_access_after: age at which traces, metrics and logs move to cheaper storage, where they are
            kept 30 days longer than that.
        backups_kept: age at which backups are deleted.
        check_credentials: ask AWS who the credentials belong to; false for a preview without any.
        tags: further tags of buckets and roles.
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
class S3Storage:
    """Buckets that exist, on any service that speaks S3.

    Attributes:
        endpoint: ``host`` or ``host:port`` of the service.
        region: what the service calls its region.
        path_style: write the bucket's name into the path, not into the host name.
        tls: false speaks plain HTTP; for a service in the same cluster only.
        credentials_secret: Secret in the stack's namespace, with key ``credentials``: a file as AWS's tools
            read it.
        ca_secret: Secret in the stack's namespace, with key ``ca.crt``, where no public authority has signed.
    """

    endpoint: ServiceHost | None = None
    region: S3Region = "us-east-1"
    path_style: bool = True
    tls: bool = True
    credentials_secret: ObjectName | None = None
    ca_secret: ObjectName | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ObjectStorageSection:
    """Where the stores of phase 4 keep their data.

    Attributes:
        provider: ``aws`` makes buckets on AWS; ``s3`` uses some that exist, on any service that speaks S3.
        bucket_prefix: first part of all bucket names; they must be unique in all of AWS.
        buckets: names of single buckets.
        aws: buckets on AWS.
        s3: buckets that exist.
    """

    provider: Literal["aws", "s3"] = "aws"
    bucket_prefix: BucketPrefix | None = None
    buckets: BucketNames = field(default_factory=BucketNames)
    aws: AwsStorage = field(default_factory=AwsStorage)
    s3: S3Storage = field(default_factory=S3Storage)
