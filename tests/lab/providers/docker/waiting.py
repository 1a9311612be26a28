"""Removal of what containers may still be releasing."""

from __future__ import annotations

from collections.abc import Callable

import tenacity
from docker.errors import APIError, NotFound

_PATIENCE = 30.0
"""Seconds; the official plugin's."""


def remove_when_free(remove: Callable[[], object]) -> None:
    """Remove something, again and again while the Docker Engine says that it is in use.

    No error when it is already gone. After 30 s the Docker Engine's own error is raised.
    """
    for attempt in tenacity.Retrying(
        retry=tenacity.retry_if_exception(_in_use),
        stop=tenacity.stop_after_delay(_PATIENCE),
        wait=tenacity.wait_fixed(1.0),
        reraise=True,
    ):
        with attempt:
            try:
                remove()
            except NotFound:
                return


def _in_use(error: BaseException) -> bool:
    said = str(error)
    return isinstance(error, APIError) and ("in use" in said or "has active endpoints" in said)
