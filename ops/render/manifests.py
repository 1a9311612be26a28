"""Writes a stack as manifests for Git; needs no cluster, no login and no state.

The engine runs the program as it always does, on a state that is thrown away, with the provider told to write
files. The folder's content is replaced only when all of it has been written, and put back if that fails.
Between two renames a part is missing: after a kill at that moment, it is ``.rendering-*/<part>.before``.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from components.platform.manifests.scope import FIRST_APPLIED, MANIFESTS
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE
from components.values.secret_text import ENCRYPTED
from ops.errors import OpsError
from ops.project import ROOT, Stack, load_stack, shut
from ops.pulumi.engine import Pulumi
from ops.pulumi.state import EngineState
from ops.pulumi.toolchain import choose, provide_engine
from ops.render.fixed import refuse_other_places
from ops.render.gitops import gitops_files
from ops.screen import say

GITOPS = "gitops"
WRITTEN = {MANIFESTS: {"0-crd", FIRST_APPLIED, "1-manifest"}, GITOPS: None}
"""What is replaced, and what may be in it: a folder of that name with anything else is not ours."""


def render(name: str, to: Path | None, root: Path = ROOT, *, new: bool = False) -> Path:
    """Write a stack's manifests and, if the settings name a repository, what points Argo CD and Flux at it.

    Args:
        name: of the stack.
        to: the folder; that of ``kubernetes.render`` when None.
        root: the project's folder.
        new: what is in the folder was never applied, and says nothing about where data is.

    Returns:
        The folder.

    Raises:
        OpsError: the settings are wrong, the engine failed, or the folder holds something else, or manifests
            that differ in what cannot be changed.
    """
    folder = _folder(name, to, root)
    _refuse_foreign(folder)
    _make(folder)
    with _partial(folder) as partial:
        stack = _rendering(name, partial, root)
        files = gitops_files(stack, folder)
        _run_engine(stack)
        _refuse_secrets(partial / MANIFESTS)
        if not new:
            refuse_other_places(folder / MANIFESTS, partial / MANIFESTS)
        if files:
            _write(partial / GITOPS, files)
        _replace(folder, partial)
        if not files:
            say(
                f"left out: {folder / GITOPS}, for Argo CD and Flux; to have it written, set "
                f"kubernetes.gitops.repository in {stack.file.name}"
            )
    return folder


def _folder(name: str, to: Path | None, root: Path) -> Path:
    if to is not None:
        return to.absolute()
    given = _rendering(name, None, root).settings.kubernetes.render
    if given is None:
        raise OpsError(
            f"the stack {name} names no folder for its manifests",
            "set kubernetes.render in its file, or pass --to <folder> (make: TO=<folder>)",
            status=2,
        )
    return root / Path(given).expanduser()


def _rendering(name: str, folder: Path | None, root: Path) -> Stack:
    """Read the stack as if its file told the provider to write into a folder."""
    changes = {} if folder is None else {"kubernetes": {"render": str(folder)}}
    stack = load_stack(name, root, changes=changes)
    if stack.settings.phase < ON_KUBERNETES:
        raise OpsError(
            f"the stack {name} is phase {stack.settings.phase}, which runs on Docker and has no manifests",
            f"name a stack of phase {ON_KUBERNETES} or later",
            status=2,
        )
    if stack.settings.phase >= ON_OBJECT_STORAGE and stack.settings.object_storage.provider == "aws":
        raise OpsError(
            "objectStorage.provider: 'aws': rendering only writes manifests, and would make these buckets "
            "and roles without keeping their state",
            "set s3 and name buckets that exist, on AWS or elsewhere, or let make up make buckets and stack",
            status=2,
        )
    locked = [key for key, value in stack.config.items() if ENCRYPTED in json.dumps(value)]
    if locked:
        raise OpsError(
            f"{stack.file.name}: encrypted: {', '.join(locked)}; manifests in Git must not hold secrets",
            "write in clear what is not secret, and name Secrets of the namespace for the rest",
            status=2,
        )
    return stack


def _run_engine(stack: Stack) -> None:
    choice = choose(None, ())
    toolchain = provide_engine(choice, phase=stack.settings.phase, docker_host=stack.docker_host)
    with tempfile.TemporaryDirectory(prefix="otel-stack-render-") as home:
        engine = Pulumi(stack, _passing_state(stack, Path(home)), toolchain)
        engine.make()
        engine.run("up", "--yes", "--skip-preview", config=True)


def _passing_state(stack: Stack, home: Path) -> EngineState:
    """Make a state to be thrown away, with a configuration that has no way of its own to keep secrets."""
    backend, passphrase, config = home / "backend", home / "passphrase", home / stack.file.name
    backend.mkdir()
    passphrase.touch(mode=0o600)
    passphrase.write_text(secrets.token_urlsafe())
    values = shut(yaml.safe_load(stack.file.read_text()).get("config") or {})
    values[f"{stack.project}:kubernetes"] = stack.config["kubernetes"]
    config.write_text(yaml.safe_dump({"config": values}))
    (home / stack.project_file.name).write_text(stack.project_file.read_text())
    environment = {
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
    }
    return EngineState(environment=environment, config_file=config, home=None)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OpsError(f"cannot write to {folder}: {error.strerror}", "choose another with --to") from error


def _refuse_foreign(folder: Path) -> None:
    for part, known in WRITTEN.items():
        path = folder / part
        present = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
        foreign = sorted(present - known) if known is not None else []
        if foreign:
            raise OpsError(
                f"{path} holds {', '.join(foreign)}, which rendering did not write",
                "move it elsewhere, or choose another folder with --to",
                status=2,
            )


def _refuse_secrets(manifests: Path) -> None:
    found = [path.name for path in manifests.rglob("*.yaml") if _kind(path) == "Secret"]
    if found:
        raise OpsError(
            f"nothing was written: these would hold secrets in clear text: {', '.join(sorted(found))}",
            "name Secrets that exist, under kubernetes.existingSecrets and in postgres.passwordSecret",
        )


def _kind(path: Path) -> str:
    return str((yaml.safe_load(path.read_text()) or {}).get("kind"))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """Give a folder beside the parts to be replaced, on the same file system.

    It is gone afterwards, unless it holds what was there before and could not be put back.
    """
    partial = Path(tempfile.mkdtemp(prefix=".rendering-", dir=folder))
    only: list[str] = []
    try:
        yield partial
    except BaseException:
        only = [part for part in WRITTEN if _before(partial, part).exists() and not (folder / part).exists()]
        for part in only:
            say(f"not put back: {folder / part} is now {_before(partial, part)}")
        raise
    finally:
        if not only:
            shutil.rmtree(partial, ignore_errors=True)


def _before(partial: Path, part: str) -> Path:
    """Where the former content of a part is kept until all parts are replaced."""
    return partial / f"{part}.before"


def _replace(folder: Path, partial: Path) -> None:
    """Put all parts in the places of the former ones, two renames each, or leave all as they were.

    A former part that was not written this time is gone afterwards.

    Raises:
        OpsError: a rename failed.
    """
    with ExitStack() as undo:
        for part in WRITTEN:
            if (folder / part).exists():
                _move(folder / part, _before(partial, part), undo)
            if (partial / part).exists():
                _move(partial / part, folder / part, undo)
        undo.pop_all()
    for part in WRITTEN:
        if (folder / part).exists():
            say(f"written: {folder / part}")
        elif _before(partial, part).exists():
            say(f"removed: {folder / part}")


def _move(path: Path, to: Path, undo: ExitStack) -> None:
    try:
        path.rename(to)
    except OSError as error:
        raise OpsError(
            f"cannot move {path} to {to}: {error.strerror}",
            "what was there before is put back; stop what uses the folder, or choose another with --to",
        ) from error
    undo.callback(to.rename, path)
