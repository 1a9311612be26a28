"""The official plugin's ``wait``: until the Docker Engine calls the container healthy."""

from __future__ import annotations

import threading
import time
from typing import Any

import docker

from tests.lab.providers.errors import ProviderError

_POLL = 1.0
"""Seconds between two checks; the official plugin's."""


def wait_until_healthy(
    client: docker.APIClient, container_id: str, seconds: float, cancelled: threading.Event
) -> None:
    """Poll the container's health until it is ``healthy``.

    Like the official plugin, it keeps waiting when the container is unhealthy or has exited.

    Raises:
        ProviderError: no healthcheck, not healthy in time, or the operation was cancelled.
    """
    deadline = time.monotonic() + seconds
    while True:
        state = client.inspect_container(container_id)["State"]
        health = state.get("Health")
        if not health:
            raise ProviderError(
                "wait = true needs a healthcheck, and neither the program nor the image has one."
            )
        if health["Status"] == "healthy":
            return
        if time.monotonic() >= deadline:
            raise ProviderError(
                f"it was not healthy within {seconds:g} s (waitTimeout): container {state['Status']}, health "
                f"{health['Status']}{_last_words(health)}. `docker logs` of the container says more."
            )
        if cancelled.wait(_POLL):
            raise ProviderError("the wait for it to become healthy was cancelled.")


def _last_words(health: dict[str, Any]) -> str:
    log = health.get("Log") or []
    said = log[-1]["Output"].strip() if log else ""
    return f", its last check said {said!r}" if said else ""
