"""The programs' own configuration files: read from ``configs/``, values set at given paths, written out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

Keys = tuple[str | int, ...]


class _Dumper(yaml.SafeDumper):
    """Writes out repeated values in full, so that the text stays readable."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the overridden method's signature
        """Never write anchors and aliases."""
        return True


class Document:
    """A YAML configuration file with values to be set from the settings."""

    def __init__(self, content: Any) -> None:
        """Take parsed YAML."""
        self._content = copy.deepcopy(content)

    @classmethod
    def read(cls, path: str) -> Document:
        """Read a file by its path under ``configs/``.

        Raises:
            FileNotFoundError: there is no such file.
        """
        return cls(yaml.safe_load(text(path)))

    def set(self, *keys: str | int, to: Any) -> Document:
        """Replace the value at a path that exists in the file.

        Raises:
            KeyError: the file has no such path, so that a renamed key cannot go unnoticed.
        """
        parent = self.get(*keys[:-1])
        self._require(parent, keys)
        parent[keys[-1]] = to
        return self

    def replace(self, *keys: str | int, old: str, new: str) -> Document:
        """Replace part of the text at a path that exists in the file.

        Raises:
            KeyError: the file has no such path, or the text there does not contain ``old``.
        """
        found = self.get(*keys)
        if old not in found:
            raise KeyError(f"{keys}: {found!r} does not hold {old!r}")
        return self.set(*keys, to=found.replace(old, new))

    def remove(self, *keys: str | int) -> Document:
        """Remove what is at a path that exists in the file.

        Raises:
            KeyError: the file has no such path.
        """
        parent = self.get(*keys[:-1])
        self._require(parent, keys)
        del parent[keys[-1]]
        return self

    def get(self, *keys: str | int) -> Any:
        """Return the value at a path.

        Raises:
            KeyError: the file has no such path.
        """
        value = self._content
        for depth, key in enumerate(keys, start=1):
            self._require(value, keys[:depth])
            value = value[key]
        return value

    def dump(self) -> str:
        """Write the document as YAML in the file's own order."""
        return yaml.dump(self._content, Dumper=_Dumper, sort_keys=False, width=110)

    @staticmethod
    def _require(parent: Any, keys: Keys) -> None:
        known = range(len(parent)) if isinstance(parent, list) else parent
        if not isinstance(parent, Mapping | list) or keys[-1] not in known:
            raise KeyError(f"no {' > '.join(map(str, keys))} in the configuration file")


def text(path: str) -> str:
    """Read a file under ``configs/`` as it is."""
    return (CONFIGS / path).read_text(encoding="utf-8")


def replaced(content: str, old: str, new: str, *, times: int) -> str:
    """Replace every occurrence of ``old``, of which there must be ``times``; comments and layout stay.

    Raises:
        ValueError: it occurs more or less often, so that a changed file cannot go unnoticed.
    """
    found = content.count(old)
    if found != times:
        raise ValueError(f"{old!r} occurs {found} times in the configuration file, not {times} times")
    return content.replace(old, new)


def texts(directory: str, pattern: str) -> dict[str, str]:
    """Read all files of a directory under ``configs/`` that match a pattern, by relative path, in order."""
    root = CONFIGS / directory
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(root.glob(pattern), key=str)
    }
