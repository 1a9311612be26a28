"""Policy documents of buckets and roles, as text that a preview shows in full."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

VERSION = "2012-10-17"
READ_WRITE = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
"""What a store does with its objects; it deletes those past its own retention."""

APPEND = ("s3:PutObject", "s3:AbortMultipartUpload")
"""What a backup does with its objects: it can neither read nor delete any; they expire by age."""

LEAST_TLS = 1.2

_PARTITIONS: Mapping[str, tuple[str, str]] = {
    "cn": ("aws-cn", "amazonaws.com.cn"),
    "eusc": ("aws-eusc", "amazonaws.eu"),
    "us-gov": ("aws-us-gov", "amazonaws.com"),
    "us-iso": ("aws-iso", "c2s.ic.gov"),
    "us-isob": ("aws-iso-b", "sc2s.sgov.gov"),
    "eu-isoe": ("aws-iso-e", "cloud.adc-e.uk"),
    "us-isof": ("aws-iso-f", "csp.hci.ic.gov"),
}
"""Beginning of a region's name -> partition, and domain of its services."""


def partition(region: str) -> str:
    """Return the AWS partition that a region belongs to."""
    return _place(region)[0]


def bucket_arn(name: str, region: str) -> str:
    """Return the ARN of a bucket."""
    return f"arn:{partition(region)}:s3:::{name}"


def service_host(region: str) -> str:
    """Return the host name of S3 in a region."""
    return f"s3.{region}.{_place(region)[1]}"


def tls_only(arn: str) -> str:
    """Return a bucket's policy: no access over plain HTTP or an old TLS, whatever else allows it."""
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"]}
    return _document(
        {"Sid": "OnlyTls", **denied, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {
            "Sid": "OnlyRecentTls",
            **denied,
            "Condition": {"NumericLessThan": {"s3:TlsVersion": str(LEAST_TLS)}},
        },
    )


def bucket_access(arns: Sequence[str], actions: Sequence[str], kms_key_arn: str | None) -> str:
    """Return a role's policy: these actions on the objects of these buckets, and on no others."""
    statements: list[dict[str, Any]] = [
        {"Sid": "List", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": list(arns)},
        {
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": list(actions),
            "Resource": [f"{arn}/*" for arn in arns],
        },
    ]
    if kms_key_arn is not None:
        key_use = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements.append({"Sid": "Key", "Effect": "Allow", "Action": key_use, "Resource": [kms_key_arn]})
    return _document(*statements)


def pod_identity_trust(cluster: str, namespace: str, service_accounts: Sequence[str]) -> str:
    """Return who may assume a role: EKS, for these service accounts of this cluster and namespace."""
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-name": cluster,
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": list(service_accounts),
                }
            },
        }
    )


def irsa_trust(oidc_provider_arn: str, namespace: str, service_accounts: Sequence[str]) -> str:
    """Return who may assume a role: these service accounts, by a token of the cluster's OIDC provider."""
    issuer = oidc_provider_arn.partition(":oidc-provider/")[2]
    subjects = [f"system:serviceaccount:{namespace}:{account}" for account in service_accounts]
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": oidc_provider_arn},
            "Action": ["sts:AssumeRoleWithWebIdentity"],
            "Condition": {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": subjects}},
        }
    )


def _place(region: str) -> tuple[str, str]:
    """Return partition and domain of a region."""
    special = (place for start, place in _PARTITIONS.items() if region.startswith(f"{start}-"))
    return next(special, ("aws", "amazonaws.com"))


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": VERSION, "Statement": list(statements)})
