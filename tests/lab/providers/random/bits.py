"""``random.RandomBytes``, ``random.RandomId`` and ``random.RandomUuid``."""

from __future__ import annotations

import base64
import secrets
import uuid
from typing import Any

import pulumi_random

from tests.lab.providers.random.drawn import Drawn
from tests.lab.providers.schema import resource_schema


class RandomBytes(Drawn):
    """``length`` bytes, as base64 and as hexadecimal digits, both secret."""

    def __init__(self) -> None:
        super().__init__(
            "random:index/randomBytes:RandomBytes",
            resource_schema(pulumi_random.RandomBytes, pulumi_random.RandomBytesArgs),
            secret=frozenset({"base64", "hex"}),
        )

    def draw(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        data = secrets.token_bytes(inputs["length"])
        return "none", {"base64": base64.b64encode(data).decode(), "hex": data.hex()}


class RandomId(Drawn):
    """``byteLength`` bytes in several notations, each but the id after ``prefix``."""

    def __init__(self) -> None:
        super().__init__(
            "random:index/randomId:RandomId",
            resource_schema(pulumi_random.RandomId, pulumi_random.RandomIdArgs),
        )

    def draw(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        data, prefix = secrets.token_bytes(inputs["byteLength"]), inputs.get("prefix", "")
        url = base64.urlsafe_b64encode(data).decode().rstrip("=")
        return url, {
            "b64Std": prefix + base64.b64encode(data).decode(),
            "b64Url": prefix + url,
            "dec": prefix + str(int.from_bytes(data, "big")),
            "hex": prefix + data.hex(),
        }


class RandomUuid(Drawn):
    """A version 4 UUID."""

    def __init__(self) -> None:
        super().__init__(
            "random:index/randomUuid:RandomUuid",
            resource_schema(pulumi_random.RandomUuid, pulumi_random.RandomUuidArgs),
        )

    def draw(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        del inputs
        result = str(uuid.uuid4())
        return result, {"result": result}
