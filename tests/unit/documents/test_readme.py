"""The documents' tables against the program: every setting, the phases, the messages."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic.alias_generators import to_camel

from components import phases
from components.sections.forms import Address, TcpPort
from components.sections.sizing import LimitSizing, ProgramSizing, SizingSection, TierSizing
from components.settings import Settings
from components.values.quantities import Duration, Size
from tests.support.documents import FENCE, README, ROOT, SPAN, TROUBLESHOOTING, name_of, table, text

KINDS = {
    Duration: "duration",
    Size: "size",
    Address: "address",
    TcpPort: "port",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "text",
    tuple: "list",
    dict: "map",
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """What the program knows of a key."""

    kind: str
    choices: tuple[object, ...]
    default: object


def settings_of(section: type, prefix: str = "") -> Iterator[tuple[str, Setting]]:
    """Give every key; those that each program has appear once, with a placeholder for its name."""
    hints = typing.get_type_hints(section, include_extras=True)
    for field in dataclasses.fields(section):
        hint, key = without_none(hints[field.name]), f"{prefix}{to_camel(field.name)}"
        if not dataclasses.is_dataclass(hint) or hint in (Duration, Size):
            yield key.replace("<program>.replicas", "<tier>.replicas"), setting(field, hint)
        elif section is SizingSection:
            yield from settings_of(typing.cast("type", hint), f"{prefix}<program>.")
        else:
            yield from settings_of(typing.cast("type", hint), f"{key}.")


def without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return next(arm for arm in typing.get_args(hint) if arm is not type(None))
    return hint


def setting(field: dataclasses.Field[Any], hint: Any) -> Setting:
    made = None if field.default_factory is dataclasses.MISSING else field.default_factory()
    plain = typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint
    plain = typing.get_origin(plain) or plain
    return Setting(
        kind=KINDS.get(hint) or KINDS.get(plain, ""),
        choices=typing.get_args(hint) if plain is Literal else (),
        default=made if field.default is dataclasses.MISSING else field.default,
    )


SETTINGS_PAGE = ROOT / "docs" / "settings.md"
SETTINGS = dict(settings_of(Settings))
TABLE = {row[0].strip("`"): row for row in table(SETTINGS_PAGE, "| key | type | default | meaning |")}


class TestSettings:
    def test_every_key_is_there_and_no_other(self) -> None:
        assert set(TABLE) == set(SETTINGS)

    @pytest.mark.parametrize("key", sorted(SETTINGS))
    def test_type(self, key: str) -> None:
        setting, written = SETTINGS[key], TABLE[key][1]
        choices = [str(choice) for choice in setting.choices]
        assert (written.replace("`", "").split(", ") if choices else written) == (choices or setting.kind)

    @pytest.mark.parametrize("key", sorted(SETTINGS))
    def test_default(self, key: str) -> None:
        default, written = SETTINGS[key].default, SPAN.fullmatch(TABLE[key][2])
        if default is None:
            assert written is None
            return
        assert written is not None
        if isinstance(default, Duration | Size):
            assert type(default).parse(written[1]) == default
        else:
            assert yaml.safe_load(written[1]) == (list(default) if isinstance(default, tuple) else default)

    @pytest.mark.parametrize(
        ("key", "kind"),
        [
            ("sizing.<program>.memory", LimitSizing),
            ("sizing.<program>.volume", ProgramSizing),
            ("sizing.<tier>.replicas", TierSizing),
        ],
    )
    def test_every_program_is_named(self, key: str, kind: type) -> None:
        hints = typing.get_type_hints(SizingSection)
        programs = {name for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, kind)}
        assert programs
        assert programs <= set(SPAN.findall(TABLE[key][3]))

    def test_the_example_is_accepted(self) -> None:
        example = next(block for block in FENCE.findall(text(README)) if block.startswith("```yaml\nconfig:"))
        config = yaml.safe_load("\n".join(example.splitlines()[1:-1]))["config"]
        Settings.load({key.removeprefix("otel-stack:"): value for key, value in config.items()})


def test_the_phases_are_those_that_are_composed() -> None:
    listed = table(README, "| phase | path of the data | stack file | state |")
    assert {int(row[0]) for row in listed} == set(phases._PHASES)
    for phase, _, file, _ in listed:
        config = yaml.safe_load(text(ROOT / file.strip("`")))["config"]
        assert config["otel-stack:phase"] == int(phase)


@pytest.mark.parametrize("path", [README, TROUBLESHOOTING], ids=name_of)
def test_messages_are_those_of_the_programs(path: Path) -> None:
    sources = [*(ROOT / "ops").rglob("*.py"), *(ROOT / "components").rglob("*.py"), ROOT / "Makefile"]
    joined = "\n".join(re.sub(r'"\s*\n\s*f?"', "", text(source)) for source in sources)
    quoted = [message for row in table(path, "| message | what to do |") for message in SPAN.findall(row[0])]
    assert quoted
    assert [message for message in quoted if message not in joined] == []
