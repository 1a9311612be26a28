"""The provider's settings, and boto3 clients made of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from types_boto3_eks.client import EKSClient
from types_boto3_iam.client import IAMClient
from types_boto3_s3.client import S3Client
from types_boto3_sts.client import STSClient

from tests.lab.providers import wire
from tests.lab.providers.errors import ProviderError

MODELLED = frozenset(
    {
        "accessKey",
        "endpoints",
        "maxRetries",
        "profile",
        "region",
        "s3UsePathStyle",
        "secretKey",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "token",
    }
)
"""Settings of the provider that are honoured; any other is refused."""

_SECONDS_TO_CONNECT = 5


class Connection:
    """Clients for the services, by region. Nothing is asked of a server before it is needed."""

    def __init__(self) -> None:
        self._config: Mapping[str, Any] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the provider's settings.

        Raises:
            ProviderError: a setting that is not modelled, no region, no credentials, or ones that the server
                does not know. The last is not checked with ``skipCredentialsValidation``.
        """
        others = sorted(name for name, value in config.items() if value and name not in MODELLED)
        if others:
            raise ProviderError(
                f"the lab's stand-in for the aws plugin does not model {', '.join(others)}; "
                "use the official plugin"
            )
        self._config = config
        if wire.has_unknown(dict(config)):
            return
        if not self.region:
            raise ProviderError(
                "Missing region configuration: set region on the provider, or AWS_REGION in the environment"
            )
        if self._session().get_credentials() is None:
            raise ProviderError(
                "No valid credential sources found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or AWS_PROFILE; the official plugin needs some even to preview"
            )
        if not config.get("skipCredentialsValidation"):
            with told("validating provider credentials"):
                self.sts().get_caller_identity()

    @property
    def region(self) -> str:
        """The provider's own region; empty when nothing names one."""
        environment = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
        return str(self._config.get("region") or environment)

    def s3(self, region: str) -> S3Client:
        """S3 in a region."""
        client: S3Client = self._client("s3", region)
        return client

    def eks(self, region: str) -> EKSClient:
        """EKS in a region."""
        client: EKSClient = self._client("eks", region)
        return client

    def iam(self) -> IAMClient:
        """IAM, which knows no regions."""
        client: IAMClient = self._client("iam", self.region)
        return client

    def sts(self) -> STSClient:
        """STS of the provider's region."""
        client: STSClient = self._client("sts", self.region)
        return client

    def _client(self, service: str, region: str) -> Any:
        """A client, made once: clients may be shared between threads, sessions may not."""
        with self._lock:
            made = self._clients.get((service, region))
            if made is None:
                new: Any = self._session().client
                made = self._clients[service, region] = new(
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint(service),
                    config=self._options(service),
                )
            return made

    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self._config.get("accessKey"),
            aws_secret_access_key=self._config.get("secretKey"),
            aws_session_token=self._config.get("token"),
            profile_name=self._config.get("profile"),
        )

    def _endpoint(self, service: str) -> str | None:
        given = (entry.get(service) for entry in self._config.get("endpoints", []))
        return next((str(url) for url in given if url), None)

    def _options(self, service: str) -> Config:
        style: Any = {"addressing_style": "path"} if self._config.get("s3UsePathStyle") else {}
        return Config(
            connect_timeout=_SECONDS_TO_CONNECT,
            retries={"max_attempts": self._config.get("maxRetries", 2)},
            s3=style if service == "s3" else {},
        )


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Report a failed call with what was being done, and the service's own code and words."""
    try:
        yield
    except ClientError as error:
        detail = error.response.get("Error", {})
        raise ProviderError(f"{doing}: {detail.get('Code')}: {detail.get('Message')}") from error
    except BotoCoreError as error:
        raise ProviderError(f"{doing}: {error}") from error


@contextmanager
def unless(*codes: str) -> Iterator[None]:
    """Ignore a call's failure with one of these codes."""
    try:
        yield
    except ClientError as error:
        if not is_one_of(error, codes):
            raise


def is_one_of(error: ClientError, codes: Collection[str]) -> bool:
    """Tell whether a call failed with one of these codes."""
    return error.response.get("Error", {}).get("Code") in codes
