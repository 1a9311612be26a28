"""The random package: no settings, and its resource types."""

from __future__ import annotations

import pulumi_random

from tests.lab.providers.base import Provider
from tests.lab.providers.random.bits import RandomBytes, RandomId, RandomUuid
from tests.lab.providers.random.text import RandomText
from tests.lab.providers.schema import record, resource_schema


def random_provider() -> Provider:
    """The provider with every resource type that is modelled."""
    password = resource_schema(pulumi_random.RandomPassword, pulumi_random.RandomPasswordArgs)
    string = resource_schema(pulumi_random.RandomString, pulumi_random.RandomStringArgs)
    return Provider(
        "random",
        "4.21.4",
        record(pulumi_random.ProviderArgs),
        [
            RandomText("random:index/randomPassword:RandomPassword", password, secret=True),
            RandomText("random:index/randomString:RandomString", string, secret=False),
            RandomBytes(),
            RandomId(),
            RandomUuid(),
        ],
    )
