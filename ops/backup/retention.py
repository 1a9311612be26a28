"""Deletes old backups, and nothing else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ops.backup.manifest import load_manifest
from ops.errors import OpsError

TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_ABANDONED = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What became of old backups.

    Attributes:
        deleted: those that are gone.
        problems: those that could not be deleted, or not wholly, each with the reason.
    """

    deleted: Sequence[Path] = ()
    problems: Sequence[str] = ()


def folder_name(stack: str, moment: datetime) -> str:
    """Name of the folder of a backup that begins at a moment."""
    return f"{stack}-{moment.astimezone(timezone.utc).strftime(TIME_FORMAT)}"


def partial_name(name: str) -> str:
    """Name of a backup's folder while it is being made."""
    return f".{name}.partial"


def prune(folder: Path, stack: str, keep_days: int, now: datetime) -> Pruned:
    """Delete the stack's backups that are older than ``keep_days`` days, and what killed runs left behind.

    It touches only folders that bear a backup's name and hold a manifest of this project and stack. One
    that cannot be deleted does not keep the others.
    """
    if keep_days <= 0:
        return Pruned()
    doomed = [*_old(folder, stack, now - timedelta(days=keep_days)), *_abandoned(folder, stack, now)]
    problems = {path: _delete(path) for path in doomed}
    return Pruned(
        deleted=[path for path, problem in problems.items() if not problem],
        problems=[problem for problem in problems.values() if problem],
    )


def backups(folder: Path, stack: str) -> list[Path]:
    """Complete backups of a stack in a folder, oldest first."""
    name = re.compile(rf"{re.escape(stack)}-\d{{8}}T\d{{6}}Z")
    return [path for path in _folders(folder) if name.fullmatch(path.name) and _is_backup(path, stack)]


def _delete(path: Path) -> str:
    """Delete a folder; give the reason where that is not possible."""
    try:
        shutil.rmtree(path)
    except OSError as error:
        return f"{path}: {error.filename or path.name}: {error.strerror or error}"
    return ""


def _old(folder: Path, stack: str, before: datetime) -> Iterator[Path]:
    return (path for path in backups(folder, stack) if load_manifest(path).created < before)


def _abandoned(folder: Path, stack: str, now: datetime) -> Iterator[Path]:
    name = re.compile(rf"\.{re.escape(stack)}-\d{{8}}T\d{{6}}Z\.partial")
    for path in _folders(folder):
        changed = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        if name.fullmatch(path.name) and now - changed > _ABANDONED:
            yield path


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())


def _is_backup(path: Path, stack: str) -> bool:
    try:
        return load_manifest(path).stack == stack
    except OpsError:
        return False
