"""Where the engine keeps a stack's state and secrets when the user has not chosen a place.

Layout under ``${XDG_STATE_HOME:-~/.local/state}/<project>/``, for the user's eyes only::

    backend/                          the engine's state, one history per stack
    passphrase                        unlocks the secrets in that state
    stacks/<stack>/Pulumi.<stack>.yaml  the committed file and the salt that the engine adds to it

It is keyed by project, so all clones of one user share it. The salt lives here rather than in the committed
file because it belongs to the state: a new clone finds it, and no checkout becomes dirty.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ops.errors import OpsError
from ops.project import Stack

PASSPHRASE_BYTES = 32
_OWN_BACKEND = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN")
_OWN_PASSPHRASE = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


@dataclass(frozen=True, kw_only=True)
class EngineState:
    """What the engine must be told to find a stack's state.

    Attributes:
        environment: variables to add to the engine's environment; never a secret itself.
        config_file: configuration file to use in place of the committed one, None for the committed one.
        home: folder of the local state, None when the backend is the user's own.
    """

    environment: Mapping[str, str]
    config_file: Path | None
    home: Path | None

    def config_arguments(self) -> list[str]:
        """Arguments for the engine's commands that read the stack's configuration."""
        return [] if self.config_file is None else ["--config-file", str(self.config_file)]


def state_home(project: str, environ: Mapping[str, str]) -> Path:
    """Folder of a project's local state."""
    base = environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / project


def prepare_state(stack: Stack, environ: Mapping[str, str] = os.environ) -> EngineState:
    """Make the local state's folders, passphrase and configuration copy, where the user has none.

    Raises:
        OpsError: the folder lies inside the checkout, or cannot be written.
    """
    if stack.own_backend or any(environ.get(name) for name in _OWN_BACKEND):
        return EngineState(environment={}, config_file=None, home=None)
    home = state_home(stack.project, environ)
    if home.resolve().is_relative_to(stack.root):
        raise OpsError(f"the state folder {home} is inside the checkout", "point XDG_STATE_HOME elsewhere")
    try:
        return _local_state(stack, home, environ)
    except OSError as error:
        raise OpsError(
            f"cannot keep state in {home}: {error.strerror}",
            "make it writable for you, or point XDG_STATE_HOME at a folder that is",
        ) from error


def forget_stack(stack: Stack, state: EngineState) -> None:
    """Remove what is kept here of a stack that no longer exists."""
    if state.home is not None:
        shutil.rmtree(_stack_folder(state.home, stack), ignore_errors=True)


def _local_state(stack: Stack, home: Path, environ: Mapping[str, str]) -> EngineState:
    for folder in (home, home / "backend", home / "stacks", _stack_folder(home, stack)):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    environment = {"PULUMI_BACKEND_URL": (home / "backend").as_uri()}
    if not any(name in environ for name in _OWN_PASSPHRASE):
        environment["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase_file(home))
    return EngineState(
        environment=environment,
        config_file=None if stack.own_secrets else _config_copy(stack, _stack_folder(home, stack)),
        home=home,
    )


def _stack_folder(home: Path, stack: Stack) -> Path:
    return home / "stacks" / stack.name


def _passphrase_file(home: Path) -> Path:
    """Give the passphrase's file; if two runs make it at the same time, the first one's stays.

    Raises:
        OpsError: it is gone, but secrets that it has locked remain.
    """
    path = home / "passphrase"
    if not path.exists():
        _refuse_new_passphrase(home, path)
        made = _write_private(home / f"passphrase.{os.getpid()}", secrets.token_urlsafe(PASSPHRASE_BYTES))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(made)
        made.unlink()
    path.chmod(0o600)
    return path


def _refuse_new_passphrase(home: Path, path: Path) -> None:
    copies = sorted(home.glob("stacks/*/Pulumi.*.yaml"))
    locked = [file.parent.name for file in copies if "encryptionsalt" in file.read_text()]
    if locked:
        raise OpsError(
            f"the passphrase {path} is gone, but the secrets of {', '.join(locked)} are locked with it",
            "put it back from your copy; docs/operations.md, lost passphrase, says what to do without one",
        )


def _config_copy(stack: Stack, folder: Path) -> Path:
    """Write the committed file, with the salt of the last copy, beside a copy of the project's file."""
    copy = folder / stack.file.name
    text = stack.file.read_text().rstrip("\n") + "\n"
    salt = (yaml.safe_load(copy.read_text()) or {}).get("encryptionsalt") if copy.is_file() else None
    if salt:
        text += f"encryptionsalt: {salt}\n"
    _write_private(copy, text)
    _write_private(folder / "Pulumi.yaml", stack.project_file.read_text())
    return copy


def _write_private(path: Path, text: str) -> Path:
    """Put a file in place in one step, whole even after a power cut, and never readable by others."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return partial.replace(path)
