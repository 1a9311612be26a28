"""The base of every stand-in: a package's settings and its table of resource types."""

from __future__ import annotations

import threading
from typing import Any

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.resource import Resource
from tests.lab.providers.schema import Record


class Provider:
    """A package: its configuration and its resource types.

    Args:
        name: the package, like ``docker``.
        version: the official plugin's version whose behaviour this follows.
        config: the names and types of the provider's own settings.
        resources: the resource types that are modelled.
        cancelled: set when operations in progress should give up.
    """

    def __init__(
        self,
        name: str,
        version: str,
        config: Record,
        resources: list[Resource],
        cancelled: threading.Event | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.config = config
        self.resources = {resource.token: resource for resource in resources}
        self.cancelled = cancelled or threading.Event()

    def configure(self, config: dict[str, Any]) -> None:
        """Take the checked settings.

        Raises:
            ProviderError: a setting that the stand-in does not model.
        """

    def resource(self, token: str) -> Resource:
        """The resource type of a token.

        Raises:
            ProviderError: it is not modelled.
        """
        try:
            return self.resources[token]
        except KeyError:
            known = ", ".join(sorted(self.resources))
            raise ProviderError(
                f"the lab's stand-in for the {self.name} plugin does not model {token}; it has {known}. "
                f"Use the official plugin, or add the type under tests/lab/providers."
            ) from None
