"""How a container's properties change, and what can be said about them before anything is made.

The tables are those of pulumi-docker 5.1 and 5.2 (terraform-provider-docker 4.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from docker.utils import version_lt

from tests.lab.providers import wire
from tests.lab.providers.diff import Rules
from tests.lab.providers.docker import durations, uploads
from tests.lab.providers.errors import ProviderError
from tests.lab.providers.schema import Failure, ResourceSchema

UPDATED_IN_PLACE = frozenset(
    {"restart", "maxRetryCount", "cpuShares", "cpuSet", "memory", "memoryReservation", "memorySwap"}
)
"""Handed to ``docker update``. Besides these an update starts a stopped container (``mustRun``)."""

IGNORED = frozenset(
    {
        "healthcheck", "tmpfs", "init", "cpuPeriod", "cpuQuota", "rm", "wait", "waitTimeout", "start",
        "attach", "logs", "removeVolumes", "destroyGraceSeconds", "containerReadRefreshTimeoutMilliseconds",
    }
)  # fmt: skip
"""Shown as a change that updates in place, which then changes nothing about the container."""

NOT_MODELLED = frozenset(
    {
        "attach", "deviceCgroupRules", "deviceReadBps", "deviceReadIops", "deviceRequests", "devices",
        "deviceWriteBps", "deviceWriteIops", "gpus", "logs",
    }
)  # fmt: skip

DEFAULTS: Mapping[str, Any] = {
    "attach": False,
    "containerReadRefreshTimeoutMilliseconds": 15000,
    "healthcheck.interval": "0s",
    "healthcheck.startInterval": "0s",
    "healthcheck.startPeriod": "0s",
    "healthcheck.timeout": "0s",
    "logs": False,
    "mustRun": True,
    "networkMode": "bridge",
    "ports.ip": "0.0.0.0",
    "ports.protocol": "tcp",
    "readOnly": False,
    "removeVolumes": True,
    "restart": "no",
    "rm": False,
    "start": True,
    "stdinOpen": False,
    "tty": False,
    "wait": False,
    "waitTimeout": 60,
}

_ORDERED = frozenset({"command", "entrypoints", "tests"})

_PATTERNS = {
    "restart": (
        re.compile(r"no|on-failure|always|unless-stopped"),
        "no, on-failure, always or unless-stopped",
    ),
    "cpuSet": (re.compile(r"\d+([,-]\d+)*"), 'CPU numbers like "0-1" or "0,2"'),
}

_NEEDS_API = {"startInterval": "1.44", "subpath": "1.45"}
"""Docker API versions below which the official plugin's client refuses a property."""


def rules(schema: ResourceSchema) -> Rules:
    """Everything replaces that is neither updated in place nor ignored."""
    in_place = UPDATED_IN_PLACE | IGNORED | {"mustRun"}
    return Rules(
        force_new=frozenset(schema.inputs.properties) - in_place,
        defaults=DEFAULTS,
        ordered=_ORDERED,
        computed=schema.computed,
    )


def failures(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """What the types cannot express, for inputs whose types are right."""
    for name, (pattern, allowed) in _PATTERNS.items():
        value = inputs.get(name, wire.UNKNOWN)
        if value != wire.UNKNOWN and not pattern.fullmatch(value):
            yield Failure(path=name, reason=f"must be {allowed}, not {value!r}")
    yield from _cpus(inputs.get("cpus", wire.UNKNOWN))
    yield from _healthcheck(inputs.get("healthcheck", {}))
    yield from _volumes(inputs.get("volumes", []))
    yield from _networks(inputs.get("networksAdvanced", []))
    if inputs.get("uploads", wire.UNKNOWN) != wire.UNKNOWN:
        yield from uploads.failures(inputs["uploads"])


def require_api(inputs: Mapping[str, Any], version: str) -> None:
    """Refuse what the Docker Engine at hand is too old for.

    Raises:
        ProviderError: a property needs a later version of the Docker API.
    """
    for name, since in _NEEDS_API.items():
        if _mentions(inputs, name) and version_lt(version, since):
            raise ProviderError(
                f"{name!r} needs Docker API {since}; the Docker Engine at hand speaks {version}."
            )


def _cpus(value: str) -> Iterator[Failure]:
    if value == wire.UNKNOWN:
        return
    try:
        sane = Decimal(value) > 0
    except InvalidOperation:
        sane = False
    if not sane:
        yield Failure(path="cpus", reason=f'must be a number of CPUs like "1.5", not {value!r}')


def _healthcheck(check: Any) -> Iterator[Failure]:
    if check == wire.UNKNOWN:
        return
    for name in ("interval", "timeout", "startPeriod", "startInterval"):
        value = check.get(name, "0s")
        if value != wire.UNKNOWN:
            try:
                durations.parse(value)
            except ValueError as error:
                yield Failure(path=f"healthcheck.{name}", reason=str(error))


def _volumes(volumes: Any) -> Iterator[Failure]:
    if volumes == wire.UNKNOWN:
        return
    for index, entry in enumerate(volumes):
        if ("containerPath" in entry) == ("fromContainer" in entry):
            yield Failure(path=f"volumes[{index}]", reason="needs either containerPath or fromContainer")


def _networks(networks: Any) -> Iterator[Failure]:
    if networks == wire.UNKNOWN:
        return
    for index, entry in enumerate(networks):
        if entry.get("gwPriority"):
            yield Failure(
                path=f"networksAdvanced[{index}].gwPriority", reason="is not modelled by the stand-in"
            )


def _mentions(value: Any, name: str) -> bool:
    if isinstance(value, Mapping):
        return any((key == name and item) or _mentions(item, name) for key, item in value.items())
    return isinstance(value, list) and any(_mentions(item, name) for item in value)
