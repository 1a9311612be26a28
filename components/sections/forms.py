"""Forms that a setting's value may have, each with its words for whoever wrote something else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

STRICT = ConfigDict(extra="forbid", alias_generator=to_camel, strict=True, validate_by_name=True)


@dataclass(frozen=True)
class Text:
    """Text of a certain form, and that form in words for whoever wrote something else."""

    pattern: str
    meaning: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept only text of this form."""
        return core_schema.no_info_after_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the form for editors."""
        return {"type": "string", "pattern": f"^({self.pattern})$"}

    def _validate(self, value: str) -> str:
        if re.fullmatch(self.pattern, value, re.ASCII) is None:
            raise ValueError(f"write {self.meaning}")
        return value


_OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"

Address = Annotated[str, Text(rf"({_OCTET}\.){{3}}{_OCTET}", "an IPv4 address, such as 127.0.0.1")]
TcpPort = Annotated[int, Field(ge=1, le=65535)]
Cpus = Annotated[float, Field(gt=0, le=256)]
Phase = Annotated[int, Field(ge=1, le=4)]
Count = Annotated[int, Field(ge=1)]
Program = Literal[
    "collector",
    "jaeger",
    "prometheus",
    "loki",
    "grafana",
    "kafka",
    "haproxy",
    "tempo",
    "mimir",
    "postgres",
    "aws-cli",
]
EnvironmentName = Annotated[
    str,
    Text(
        r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?",
        "a lower-case letter, then up to 30 letters, digits or hyphens, no hyphen at the end",
    ),
]
ImageReference = Annotated[
    str,
    Text(
        r"[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?:(?!latest(@|$))[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?",
        "repository:tag or repository:tag@sha256:<64 hex digits>, with a fixed tag",
    ),
]
HOST = "[A-Za-z0-9][A-Za-z0-9.-]*"
PORT = r"([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
RegistryHost = Annotated[
    str,
    Text(rf"{HOST}(:{PORT})?(/[a-z0-9._/-]+)?", "host[:port][/path], without scheme, the port up to 65535"),
]
HostPort = Annotated[str, Text(f"{HOST}:{PORT}", "host:port, the port up to 65535")]
HostName = Annotated[str, Text(HOST, "a host name or address, without port")]
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
MailAddress = Annotated[
    str,
    Text(
        rf"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@({_LABEL}\.)+[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?",
        "an e-mail address alone, such as ops@example.com, of letters, digits and . _ + -",
    ),
]
Origin = Annotated[
    str, Text(r"\*|https?://[^\s/]+", "an origin without path, such as https://shop.example.com")
]
Certificates = Annotated[
    str,
    Text(
        r"(\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----)+\s*",
        "certificates in PEM, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----",
    ),
]
DockerHost = Annotated[str, Text(r"unix:///\S+|ssh://\S+", "unix:///path/to/docker.sock or ssh://user@host")]
Login = Annotated[str, Text(r"[A-Za-z0-9._@-]{1,64}", "1 to 64 letters, digits or . _ @ -")]
KafkaVersion = Annotated[str, Text(r"\d+\.\d+\.\d+", "a version of Kafka, such as 4.2.0")]
Url = Annotated[
    str,
    Text(
        rf"https?://{HOST}(:{PORT})?([/?#]\S*)?",
        "http:// or https://, then host[:port][/path], without user and password",
    ),
]
BaseUrl = Annotated[
    str,
    Text(
        rf"https?://{HOST}(:{PORT})?(/[^\s?#]*)?",
        "http:// or https://, then host[:port][/path], without user, password and query",
    ),
]
