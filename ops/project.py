"""The project's folder, its stacks, and what each stack's committed file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.sections.docker import DockerSection
from components.settings import Settings, SettingsError
from components.values.secret_text import ENCRYPTED
from ops.errors import OpsError
from ops.stack_config import as_engine_gives_it, keys_of, read_config

ROOT = Path(__file__).resolve().parent.parent

DEFAULT_DOCKER_HOST = DockerSection().host


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack of the project.

    Attributes:
        name: as in ``Pulumi.<name>.yaml``.
        project: name of the project, which is also the namespace of its configuration keys.
        root: the project's folder.
        config: configuration keys of the namespace, without the namespace; secrets are placeholders.
        settings: the same, checked.
        own_secrets: the committed file names its own secrets provider or salt.
        own_backend: ``Pulumi.yaml`` names its own backend.
    """

    name: str
    project: str
    root: Path
    config: Mapping[str, Any]
    settings: Settings
    own_secrets: bool
    own_backend: bool

    @property
    def file(self) -> Path:
        """The stack's committed configuration."""
        return self.root / f"Pulumi.{self.name}.yaml"

    @property
    def project_file(self) -> Path:
        """The project's own file."""
        return self.root / "Pulumi.yaml"

    @property
    def docker_host(self) -> str:
        """Address of the Docker Engine that the program will use."""
        return self.settings.docker.host


def load_stack(
    name: str, root: Path = ROOT, *, changes: Mapping[str, Mapping[str, Any]] | None = None
) -> Stack:
    """Read a stack's files.

    Args:
        name: of the stack.
        root: the project's folder.
        changes: keys to set in sections of the configuration, as if the file said so.

    Raises:
        OpsError: there is no such stack, a file is not YAML, or its settings are wrong.
    """
    path = root / f"Pulumi.{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.name.split(".")[1] for file in root.glob("Pulumi.*.yaml"))) or "none"
        raise OpsError(f"no stack {name!r}: {path} does not exist", f"stacks here: {known}", status=2)
    project_text, stack_text = _read(root / "Pulumi.yaml"), _read(path)
    project = str(project_text.get("name", ""))
    prefix = f"{project}:"
    config = {
        key.removeprefix(prefix): shut(value)
        for key, value in read_config(stack_text.get("config"), path, project).items()
        if key.startswith(prefix)
    }
    for section, keys in (changes or {}).items():
        given = keys_of(config.get(section) or {})
        if given is not None:
            config[section] = {**given, **keys}
    engine_text = {
        f"{prefix}{key}": as_engine_gives_it(value, f"{prefix}{key}", path) for key, value in config.items()
    }
    try:
        settings = Settings.from_pulumi(engine_text, project)
    except SettingsError as error:
        raise OpsError(f"{path.name}: {error}", f"correct {path}", status=2) from error
    return Stack(
        name=name,
        project=project,
        root=root,
        config=config,
        settings=settings,
        own_secrets="encryptionsalt" in stack_text or "secretsprovider" in stack_text,
        own_backend="backend" in project_text,
    )


def shut(value: Any) -> Any:
    """Put the placeholder in place of every secret in a value of a stack's file, at any depth."""
    if isinstance(value, Mapping):
        return ENCRYPTED if set(value) == {"secure"} else {key: shut(one) for key, one in value.items()}
    return [shut(one) for one in value] if isinstance(value, list) else value


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise OpsError(f"cannot read {path}: {error.strerror}", "run this in a complete checkout") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OpsError(f"{path} is not YAML: {error}", f"correct {path}", status=2) from error
    if not isinstance(content, dict):
        raise OpsError(f"{path} holds no keys", f"restore it with: git checkout -- {path.name}", status=2)
    return content
