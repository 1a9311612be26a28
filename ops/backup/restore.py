"""Puts a backup's data back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ops.backup.archive import check, unpacked
from ops.backup.manifest import Manifest, load_manifest
from ops.backup.volumes import Volumes
from ops.docker.engine import FAILURES
from ops.errors import OpsError
from ops.screen import say
from ops.units import amount


def restore_backup(folder: Path, volumes: Volumes, only: Sequence[str], *, force: bool) -> Manifest:
    """Restore volumes from a backup; everything is checked before anything is changed.

    Args:
        folder: the backup.
        volumes: where the data goes.
        only: volumes to restore; all in the backup when empty.
        force: replace volumes that hold data.

    Raises:
        OpsError: the backup is damaged, a volume is in use or holds data, or Docker failed.
    """
    manifest = load_manifest(folder)
    names = _chosen(manifest, only)
    for name in names:
        say(f"checking {manifest.volumes[name].file}")
        check(folder, manifest.volumes[name])
    _refuse_used(volumes, names)
    if not force:
        _refuse_filled(volumes, names)
    for name in names:
        archive = manifest.volumes[name]
        try:
            volumes.replace(name, unpacked(folder / archive.file))
        except FAILURES as error:
            raise OpsError(
                f"{name}: {getattr(error, 'explanation', None) or error}",
                "the volume may be incomplete now; --force (make: FORCE=1) starts it over",
            ) from error
        say(f"{name}: {amount(archive.unpacked_bytes)} restored")
    return manifest


def _chosen(manifest: Manifest, only: Sequence[str]) -> list[str]:
    unknown = [name for name in only if name not in manifest.volumes]
    if unknown:
        held = ", ".join(manifest.volumes)
        raise OpsError(f"not in this backup: {', '.join(unknown)}", f"it holds: {held}", status=2)
    return [name for name in manifest.volumes if not only or name in only]


def _refuse_used(volumes: Volumes, names: Sequence[str]) -> None:
    used = {name: users for name in names if (users := volumes.users(name))}
    if used:
        told = "; ".join(f"{name} by {', '.join(users)}" for name, users in used.items())
        raise OpsError(f"volumes are in use: {told}", "make down keeps the data and frees them; then restore")


def _refuse_filled(volumes: Volumes, names: Sequence[str]) -> None:
    filled = [name for name in names if volumes.exists(name) and not volumes.is_empty(name)]
    if filled:
        raise OpsError(
            f"these volumes hold data: {', '.join(filled)}",
            "--force (make: FORCE=1) replaces it; if in doubt, back it up first",
        )
