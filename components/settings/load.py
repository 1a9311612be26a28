"""Reads the stack configuration, checks it, and says what deserves a warning."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT
from components.settings.checks.every import CHECKS, doubtful
from components.settings.errors import SettingsError, describe
from components.settings.model import SettingsModel
from components.settings.problems import Problem
from components.settings.unused import unused_problems


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Settings(SettingsModel):
    """All settings of a stack, as read from its configuration."""

    @classmethod
    def load(cls, config: Mapping[str, Any], *, secrets: Collection[str] = ()) -> Settings:
        """Read settings from a mapping of configuration keys, in camel case and without the namespace.

        Args:
            config: the mapping.
            secrets: its keys whose values no message may show.

        Raises:
            SettingsError: lists every mistake with key, value, what is allowed and what to do.
        """
        problems: list[Problem] = []
        given: Mapping[str, Any] = dict(config)
        try:
            settings = _read(given)
            malformed: set[str] = set()
        except ValidationError as error:
            problems += describe(error, given, Settings)
            malformed = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
            settings = _sound_part(given, malformed)
        for check in CHECKS:
            if not malformed.intersection(check.reads):
                problems += check.run(settings)
        if problems:
            raise SettingsError(problems, secrets)
        return settings

    @classmethod
    def from_pulumi(
        cls, config: Mapping[str, str], namespace: str, *, secrets: Collection[str] = ()
    ) -> Settings:
        """Read settings from the engine's flat configuration, in which every value is text.

        Args:
            config: keys with their namespace, and values.
            namespace: of this project's keys.
            secrets: full keys whose values are encrypted in the stack's file.

        Raises:
            SettingsError: as for ``load``.
        """
        prefix = f"{namespace}:"
        own = {key.removeprefix(prefix): text for key, text in config.items() if key.startswith(prefix)}
        return cls.load(
            {key: text if key in _TEXTS else _decoded(text) for key, text in own.items()},
            secrets=[key.removeprefix(prefix) for key in secrets],
        )

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """JSON Schema of a mapping that ``load`` takes."""
        return _ADAPTER.json_schema(by_alias=True)

    def dump(self) -> dict[str, Any]:
        """Write all settings, defaults included, in the form that ``load`` takes."""
        dumped: dict[str, Any] = _ADAPTER.dump_python(self, mode="json", by_alias=True, exclude_none=True)
        return dumped

    def warnings(self) -> list[str]:
        """List what is allowed but worth a warning."""
        found = [*doubtful(self), *unused_problems(self)]
        return [f"{problem.key}: {problem.value}: {problem.message}" for problem in found]


SECRETS = ("kafkaPassword", "ingestTlsKey")
"""Keys whose values should be encrypted in the stack's file."""

_TEXTS = ("environment", *SECRETS)
"""Keys whose value is text even where it looks like a number."""

_ADAPTER: TypeAdapter[Settings] = TypeAdapter(Settings)


def _read(given: Mapping[str, Any]) -> Settings:
    return _ADAPTER.validate_json(json.dumps(given), by_alias=True, by_name=False)


def _sound_part(given: Mapping[str, Any], malformed: set[str]) -> Settings:
    return _read({key: value for key, value in given.items() if key not in malformed})


def _decoded(value: str) -> Any:
    """Read a scalar or JSON value from the engine's configuration; anything else is text."""
    try:
        return json.loads(value)
    except ValueError:
        return value
