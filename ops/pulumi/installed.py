"""The Pulumi CLI and the provider plugins on this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path

MINIMUM_VERSION = (3, 230, 0)
"""The oldest CLI with which the project is tested."""

_LANGUAGE_HOST = "pulumi-language-python"
_ANSWER_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Cli:
    """A Pulumi CLI with its Python language host.

    Attributes:
        path: the executable.
        version: major, minor, patch.
    """

    path: Path
    version: tuple[int, ...]

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Variables that put this CLI and what is beside it first on PATH."""
        return {"PATH": f"{self.path.parent}{os.pathsep}{environ.get('PATH', '')}"}


@dataclass(frozen=True, kw_only=True, order=True)
class Plugin:
    """A provider plugin of an exact version.

    Attributes:
        name: as in ``pulumi plugin ls``.
        version: without a leading v.
    """

    name: str
    version: str

    def __str__(self) -> str:
        """Name and version, as people write them."""
        return f"{self.name} {self.version}"


def find_cli(environ: Mapping[str, str]) -> Cli | None:
    """Find a CLI that is new enough and complete: on PATH, else where its installers put it."""
    for path in _candidates(environ):
        version = _version_of(path)
        beside = f"{path.parent}{os.pathsep}{environ.get('PATH', '')}"
        if version >= MINIMUM_VERSION and shutil.which(_LANGUAGE_HOST, path=beside):
            return Cli(path=path, version=version)
    return None


def install_folder(environ: Mapping[str, str]) -> Path:
    """Where the CLI of the installed SDK's version is kept: in the user's own Pulumi folder."""
    return _pulumi_home(environ) / "versions" / installed_version("pulumi")


def needed_plugins() -> list[Plugin]:
    """The plugins that the installed SDK packages ask the engine for, with the packages' own versions."""
    found = importlib.util.find_spec("pulumi")
    packages = Path(found.origin or "").parent.parent if found else Path()
    described = (json.loads(file.read_text()) for file in packages.glob("pulumi_*/pulumi-plugin.json"))
    return sorted(Plugin(name=one["name"], version=one["version"]) for one in described if one["resource"])


def installed_plugins(cli: Cli, environ: Mapping[str, str]) -> set[Plugin]:
    """The plugins that the engine already has."""
    listed = _answer([str(cli.path), "plugin", "ls", "--json"], {**environ, **cli.environment(environ)})
    return {
        Plugin(name=one["name"], version=str(one["version"]).removeprefix("v"))
        for one in json.loads(listed or "[]") or []
        if one.get("kind") == "resource" and one.get("version")
    }


def _pulumi_home(environ: Mapping[str, str]) -> Path:
    home = environ.get("PULUMI_HOME")
    return Path(home) if home else Path.home() / ".pulumi"


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    on_path = shutil.which("pulumi", path=environ.get("PATH"))
    if on_path:
        yield Path(on_path)
    yield _pulumi_home(environ) / "bin" / "pulumi"
    yield install_folder(environ) / "bin" / "pulumi"


def _version_of(path: Path) -> tuple[int, ...]:
    """The version that an executable reports; empty, so older than any, when it does not work."""
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", _answer([str(path), "version"], os.environ))
    return tuple(int(part) for part in match.groups()) if match else ()


def _answer(command: list[str], environ: Mapping[str, str]) -> str:
    """Standard output of a command that answers a question; empty when it fails."""
    environment = {**environ, "PULUMI_SKIP_UPDATE_CHECK": "1"}
    try:
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout if result.returncode == 0 else ""
