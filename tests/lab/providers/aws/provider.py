"""The aws package: its settings and its resource types."""

from __future__ import annotations

from typing import Any

import pulumi_aws

from tests.lab.providers.aws import bucket_parts, iam
from tests.lab.providers.aws.bucket import Bucket
from tests.lab.providers.aws.connection import Connection
from tests.lab.providers.aws.eks import PodIdentityAssociation
from tests.lab.providers.base import Provider
from tests.lab.providers.schema import record


class AwsProvider(Provider):
    """Talks to the server that ``endpoints`` or ``AWS_ENDPOINT_URL`` names."""

    def __init__(self) -> None:
        self._connection = connection = Connection()
        super().__init__(
            "aws",
            "7.51.1",
            record(pulumi_aws.ProviderArgs),
            [
                Bucket(connection),
                bucket_parts.Encryption(connection),
                bucket_parts.Lifecycle(connection),
                bucket_parts.OwnershipControls(connection),
                bucket_parts.Policy(connection),
                bucket_parts.PublicAccessBlock(connection),
                bucket_parts.Versioning(connection),
                iam.Policy(connection),
                iam.Role(connection),
                iam.RolePolicy(connection),
                iam.RolePolicyAttachment(connection),
                PodIdentityAssociation(connection),
            ],
        )

    def configure(self, config: dict[str, Any]) -> None:
        self._connection.configure(config)
