"""Makes a backup: complete, or none at all."""

from __future__ import annotations

import errno
import io
import shutil
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests
from docker.errors import APIError
from docker.models.containers import Container

from ops.backup.archive import CHUNK, pack
from ops.backup.manifest import FORMAT, MAKER, Archive, Manifest
from ops.backup.retention import folder_name, partial_name
from ops.backup.volumes import Volumes
from ops.docker.names import BROKER_VOLUME, QUEUE_VOLUME
from ops.errors import OpsError
from ops.screen import say
from ops.units import amount


@dataclass(frozen=True, kw_only=True)
class Source:
    """What goes into a backup besides the volumes.

    Attributes:
        stack: name of the stack.
        images: image by program.
        state: the engine's export of the stack; its secrets are encrypted.
        volumes: data volumes to pack.
        configuration: paths of files and folders, by their name in the archive.
    """

    stack: str
    images: Mapping[str, str]
    state: bytes
    volumes: Sequence[str]
    configuration: Mapping[str, Path]


def make_backup(source: Source, volumes: Volumes, folder: Path, now: datetime, *, hot: bool) -> Path:
    """Write a backup into a new folder inside ``folder``.

    Args:
        source: what goes in besides the volumes.
        volumes: where the data is.
        folder: holds backups; created if missing, for this user's eyes only.
        now: names the backup.
        hot: do not pause the programs; what they write meanwhile can be missing or torn.

    Returns:
        The backup's folder.

    Raises:
        OpsError: a volume is missing, an archive broke off, or the disk is full; nothing is left behind.
    """
    if not source.volumes:
        raise OpsError(f"the stack {source.stack} has no data volumes", "run: make up")
    missing = [name for name in source.volumes if not volumes.exists(name)]
    if missing:
        raise OpsError(f"no such volume: {', '.join(missing)}", "make up creates them")
    name = folder_name(source.stack, now)
    partial, final = folder / partial_name(name), folder / name
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
    try:
        with _told(folder):
            _fill(partial, source, volumes, now, hot=hot)
            partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Tell failures of the folder's disk in words."""
    try:
        yield
    except requests.exceptions.RequestException:  # also an OSError, but the engine's
        raise
    except OSError as error:
        what = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise OpsError(f"no backup in {folder}: {what}", "choose another folder with --to") from error


def _fill(partial: Path, source: Source, volumes: Volumes, now: datetime, *, hot: bool) -> None:
    archives = {name: _pack_volume(partial, volumes, name, hot=hot) for name in _ordered(source.volumes)}
    files = {"state and configuration": pack(_configuration(source), partial / "configuration.tar.gz")}
    manifest = Manifest(
        made_by=MAKER,
        format=FORMAT,
        stack=source.stack,
        created=now,
        images=source.images,
        volumes=archives,
        files=files,
    )
    manifest.save(partial)


def _ordered(names: Sequence[str]) -> list[str]:
    """Put what holds undelivered data first.

    What it delivers while the stores are packed is then in both archives, and stores keep one of two equal
    records. The other way round it could be in none.
    """
    return sorted(names, key=lambda name: not name.startswith((QUEUE_VOLUME, BROKER_VOLUME)))


def _pack_volume(partial: Path, volumes: Volumes, name: str, *, hot: bool) -> Archive:
    users = [] if hot else volumes.running_users(name)
    started = time.monotonic()
    with _paused(users), volumes.reading(name) as chunks:
        archive = pack(chunks, partial / f"{name}.tar.gz")
    held = ", ".join(str(user.name) for user in users)
    pause = f", {held} paused for {time.monotonic() - started:.1f} s" if held else ""
    say(f"{name}: {amount(archive.unpacked_bytes)} packed into {amount(archive.bytes)}{pause}")
    return archive


@contextmanager
def _paused(containers: list[Container]) -> Iterator[None]:
    """Freeze programs: the disk then holds what a power cut would leave, and they recover from that."""
    frozen: list[Container] = []
    try:
        for container in containers:
            frozen.append(container)  # before: it may be told to end while the engine pauses
            try:
                _pause(container)
            except OpsError:  # not ours: somebody else may have paused it
                frozen.pop()
                raise
        yield
    finally:
        for container in frozen:
            container.reload()
            if container.status == "paused":
                container.unpause()


def _pause(container: Container) -> None:
    try:
        container.pause()
    except APIError as error:
        raise OpsError(
            f"{container.name} cannot be paused: {error.explanation or error}",
            "if another backup runs, wait for it; if one was killed: docker unpause "
            f"{container.name}; otherwise run make down first, then back up, or use --hot",
        ) from error


def _configuration(source: Source) -> Iterator[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        state = tarfile.TarInfo("state.json")
        state.size, state.mode = len(source.state), 0o600
        archive.addfile(state, io.BytesIO(source.state))
        for name, path in source.configuration.items():
            archive.add(path, arcname=name)
    content = buffer.getvalue()
    return (content[start : start + CHUNK] for start in range(0, len(content), CHUNK))
