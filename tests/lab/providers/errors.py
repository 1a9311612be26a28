"""What a resource raises when it cannot do what is requested; the engine shows the message as it is."""

from __future__ import annotations

from typing import Any


class ProviderError(RuntimeError):
    """An operation failed and nothing was made; the message says what was wrong and what to do."""


class InitializationError(ProviderError):
    """The resource exists but is not usable, so the engine must keep it in its state.

    Args:
        resource_id: the id under which the resource exists.
        outputs: its properties as far as they are known.
        message: what was wrong and what to do.
        inputs: its inputs where they are not those of the program, as after a refresh.
    """

    def __init__(
        self,
        message: str,
        *,
        resource_id: str,
        outputs: dict[str, Any],
        inputs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.resource_id = resource_id
        self.outputs = outputs
        self.inputs = inputs
