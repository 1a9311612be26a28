"""A stack of the tests' own: real CLI, state and secrets in a folder that is deleted afterwards."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ops.project import ROOT
from tests.support.lab import plugin_folder, toolchain

COMMAND_SECONDS = 400.0
"""More than two programs, one after the other, may take to become ready."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command of the CLI that has ended.

    Attributes:
        status: exit status.
        output: what it wrote to standard output.
        messages: what it wrote to standard error.
    """

    status: int
    output: str
    messages: str

    @property
    def text(self) -> str:
        """Everything that a user would have seen."""
        return self.output + self.messages


@dataclass(kw_only=True)
class Stack:
    """One stack under test.

    Attributes:
        name: of the stack.
        folder: for its state and configuration.
        program: folder of the Pulumi program.
        config: its configuration, keys without namespace.
        variables: further environment variables of the CLI and its plugins; none of AWS's but these.
        patience: seconds that a command may take.
    """

    name: str
    folder: Path
    program: Path = ROOT
    config: dict[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    patience: float = COMMAND_SECONDS

    def __post_init__(self) -> None:
        """Make the folder, and the stack in its backend."""
        for folder in ("backend", "home"):
            (self.folder / folder).mkdir(parents=True)
        (self.folder / "home" / "plugins").symlink_to(plugin_folder())
        shutil.copy(self.program / "Pulumi.yaml", self.folder)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))},
            **toolchain(),
            "PULUMI_BACKEND_URL": (self.folder / "backend").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe(),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        }
        # Beside a copy of the project's file, so that the salt of the secrets stays out of the checkout.
        self.run("-C", str(self.folder), "stack", "init", self.name, "--no-select", on_stack=False)

    def run(self, *arguments: str, check: bool = True, on_stack: bool = True) -> Ended:
        """Run a command of the CLI.

        Raises:
            AssertionError: it failed, and ``check`` says that it must not.
        """
        command = ["pulumi", *arguments, "--non-interactive", *(["--stack", self.name] if on_stack else [])]
        ended = subprocess.run(
            command,
            cwd=self.program,
            env={**self._environment, **self.variables},
            capture_output=True,
            text=True,
            timeout=self.patience,
            check=False,
        )
        result = Ended(status=ended.returncode, output=ended.stdout, messages=ended.stderr)
        assert not check or result.status == 0, f"{' '.join(command)}: status {result.status}\n{result.text}"
        return result

    def up(
        self, changes: Mapping[str, Any] | None = None, *, targets: Sequence[str] = (), check: bool = True
    ) -> Ended:
        """Bring the stack or a part of it up, with sections of the configuration changed permanently."""
        self.config.update(changes or {})
        options = [*(f"--target={urn}" for urn in targets), *self._config_file(self.config)]
        return self.run("up", "--yes", "--skip-preview", *options, check=check)

    def preview(self, *arguments: str, changes: Mapping[str, Any] | None = None, check: bool = True) -> Ended:
        """Preview the stack, as if sections of the configuration were changed."""
        file = self._config_file({**self.config, **(changes or {})})
        return self.run("preview", *arguments, *file, check=check)

    def plan(self, changes: Mapping[str, Any] | None = None) -> dict[str, str]:
        """What a preview would do: ``type name`` of each resource that does not stay the same -> what."""
        steps = json.loads(self.preview("--json", changes=changes).output)["steps"]
        return {_short(step["urn"]): step["op"] for step in steps if step["op"] != "same"}

    def destroy(self, *arguments: str, check: bool = True) -> Ended:
        """Remove everything that the stack has made."""
        return self.run(
            "destroy", "--yes", "--skip-preview", *arguments, *self._config_file(self.config), check=check
        )

    def refresh(self, *arguments: str) -> Ended:
        """Read everything back."""
        return self.run("refresh", "--yes", "--skip-preview", *arguments, *self._config_file(self.config))

    def outputs(self) -> dict[str, Any]:
        """Give the stack's outputs."""
        found: dict[str, Any] = json.loads(self.run("stack", "output", "--json").output)
        return found

    def export(self, *arguments: str) -> str:
        """Give the stack's state as the CLI exports it."""
        return self.run("stack", "export", *arguments).output

    def state(self) -> list[Mapping[str, Any]]:
        """Give the resources in the stack's state."""
        resources: list[Mapping[str, Any]] = json.loads(self.export())["deployment"].get("resources", [])
        return resources

    def resources(self) -> list[str]:
        """Name the resources in the stack's state."""
        return [_short(resource["urn"]) for resource in self.state()]

    def _config_file(self, config: Mapping[str, Any]) -> list[str]:
        """Write the configuration, beside the salt that is already in the file, and give the CLI's option."""
        path = self.folder / f"Pulumi.{self.name}.yaml"
        content = yaml.safe_load(path.read_text())
        project = yaml.safe_load((self.program / "Pulumi.yaml").read_text())["name"]
        content["config"] = {f"{project}:{key}": value for key, value in config.items()}
        path.write_text(yaml.safe_dump(content))
        return ["--config-file", str(path)]


def _short(urn: str) -> str:
    *_, kind, name = urn.split("::")
    return f"{kind.rsplit('$', maxsplit=1)[-1]} {name}"
