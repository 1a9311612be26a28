"""A stack's outputs, as ``docs/outputs.md`` describes them."""

from __future__ import annotations

from collections.abc import Mapping

from ops.errors import OpsError

SUPPORTED_CONTRACT = "1"


class StackOutputs:
    """Outputs by name, with a clear message when one is missing."""

    def __init__(self, values: Mapping[str, object]) -> None:
        """Take outputs as the engine prints them.

        Raises:
            OpsError: they follow another contract.
        """
        self.values = values
        contract = str(values.get("contract_version", "none"))
        if contract != SUPPORTED_CONTRACT:
            raise OpsError(
                f"the stack's outputs have contract version {contract}, this supports {SUPPORTED_CONTRACT}",
                "check out the version of the project that the stack was brought up with, or make up again",
            )

    def text(self, name: str) -> str:
        """Give an output.

        Raises:
            OpsError: the stack does not export it.
        """
        if name not in self.values:
            raise OpsError(f"the stack exports no {name}", "make up brings its outputs up to date")
        return str(self.values[name])

    @property
    def tenant(self) -> str:
        """Whose telemetry is queried in phase 4; empty before, where stores know no tenants."""
        return str(self.values.get("tenant", ""))
