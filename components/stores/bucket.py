"""How a store reaches its buckets: endpoint, credentials, and what the network must allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.buckets.names import ASSOCIATED_ROLE
from components.object_storage import Bucket
from components.values.secret_text import ExistingSecret, SecretText

CREDENTIALS, AUTHORITY = "secrets/credentials", "secrets/s3-ca.crt"
POD_IDENTITY_AGENT = "169.254.170.23:80"
"""Where EKS Pod Identity issues a role's credentials, on every node. Policies open its port to any address,
as for everything outside: for Cilium this one is the node itself, which no ``ipBlock`` matches."""


@dataclass(frozen=True, kw_only=True)
class StoreBucket:
    """A bucket under the name in the configuration files, which is known before it exists.

    Attributes:
        name: its name.
        bucket: everything else about it.
        account: annotations of the store's service accounts for their role.
    """

    name: str
    bucket: Bucket
    account: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    @property
    def lookup(self) -> str:
        """How its address is formed, in Mimir's and Loki's terms."""
        return "path" if self.bucket.path_style else "virtual-hosted"

    def authority(self, directory: str) -> str:
        """Return the path of the CA's certificate file; empty for public CAs."""
        return f"{directory}/{AUTHORITY}" if self.bucket.ca_secret else ""

    def environment(self, directory: str) -> Mapping[str, str]:
        """Return the variables that point the store's S3 client to its credentials."""
        if self.bucket.credentials_secret is None:
            return {}
        return {"AWS_SHARED_CREDENTIALS_FILE": f"{directory}/{CREDENTIALS}"}

    @property
    def secret_files(self) -> Mapping[str, SecretText]:
        """Files of credentials and certificate authority."""
        found: dict[str, SecretText] = {}
        if self.bucket.credentials_secret is not None:
            found[CREDENTIALS] = ExistingSecret(name=self.bucket.credentials_secret, key="credentials")
        if self.bucket.ca_secret is not None:
            found[AUTHORITY] = ExistingSecret(name=self.bucket.ca_secret, key="ca.crt")
        return found

    @property
    def calls(self) -> tuple[str, ...]:
        """``host:port`` of the service, and of what issues credentials."""
        endpoint = self.bucket.endpoint
        if ":" not in endpoint:
            endpoint = f"{endpoint}:{443 if self.bucket.tls else 80}"
        # Credentials for an annotated role (IRSA) come from AWS, on the port of its other services.
        return (endpoint, POD_IDENTITY_AGENT) if ASSOCIATED_ROLE in self.account else (endpoint,)

    def settings(self, directory: str) -> dict[str, object]:
        """Return the S3 client settings that Mimir and Loki share, except the bucket's name."""
        return {
            "endpoint": self.bucket.endpoint,
            "region": self.bucket.region,
            "bucket_lookup_type": self.lookup,
            "insecure": not self.bucket.tls,
            "http": {"tls_ca_path": self.authority(directory)},
        }
