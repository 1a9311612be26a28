"""What a Prometheus scrapes, evaluates and has, by its HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

Labels = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Prometheus:
    """A running Prometheus.

    Attributes:
        address: where it answers, as a URL.
    """

    address: str

    def targets(self) -> list[dict[str, Any]]:
        """Give what it scrapes, each with its labels and the last scrape's result."""
        found: list[dict[str, Any]] = self._get("targets", state="active")["activeTargets"]
        return found

    def groups(self) -> list[dict[str, Any]]:
        """Give the groups of its rules, each rule with the result of its last evaluation."""
        found: list[dict[str, Any]] = self._get("rules")["groups"]
        return found

    def firing(self, alert: str) -> list[Labels]:
        """Give the labels of an alert's instances that fire."""
        found = self._get("alerts")["alerts"]
        named = [one for one in found if one["labels"]["alertname"] == alert]
        return [one["labels"] for one in named if one["state"] == "firing"]

    def series(self, expression: str) -> list[Labels]:
        """Give the labels of what an expression finds now."""
        return [one["metric"] for one in self._get("query", query=expression)["result"]]

    def _get(self, path: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self.address}/api/v1/{path}", params=parameters, timeout=30)
        assert answer.is_success, f"{path} {parameters}: {answer.text}"
        return answer.json()["data"]
