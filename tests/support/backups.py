"""Volumes and programs in memory for the tests of backups."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from docker.errors import APIError

from ops.backup.volumes import Volumes

DATA_VOLUMES = ("otel-storage", "jaeger-data", "loki-data", "grafana-data")
NOW = datetime(2026, 3, 1, 2, 0, 0, tzinfo=timezone.utc)


def tar(name: str, files: dict[str, bytes]) -> bytes:
    """Give the archive of a volume."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        root = tarfile.TarInfo(name)
        root.type, root.mode, root.uid = tarfile.DIRTYPE, 0o750, 10001
        archive.addfile(root)
        for path, content in files.items():
            member = tarfile.TarInfo(f"{name}/{path}")
            member.size, member.uid = len(content), 10001
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class FakeContainer:
    """Can be paused, unless it does not obey."""

    def __init__(self, name: str, *, obeys: bool = True) -> None:
        self.name = name
        self.status = "running"
        self.history: list[str] = []
        self._obeys = obeys

    def pause(self) -> None:
        if not self._obeys:
            raise APIError("cannot pause: no freezer")
        if self.status == "paused":
            raise APIError(f"Container {self.name} is already paused")
        self.status = "paused"
        self.history.append("pause")

    def unpause(self) -> None:
        self.status = "running"
        self.history.append("unpause")

    def reload(self) -> None:
        pass


class FakeVolumes(Volumes):
    """Volumes in memory, in the form of their archives."""

    def __init__(self, content: dict[str, bytes], users: Sequence[FakeContainer] = ()) -> None:
        self.content = content
        self.containers = users
        self.mounted: dict[str, list[str]] = {}
        self.statuses: list[str] = []

    def exists(self, name: str) -> bool:
        return name in self.content

    def is_empty(self, name: str) -> bool:
        with tarfile.open(fileobj=io.BytesIO(self.content[name])) as archive:
            return len(archive.getnames()) == 1

    def users(self, name: str) -> list[str]:
        return self.mounted.get(name, [])

    def running_users(self, name: str) -> list[Any]:
        return list(self.containers) if name == "jaeger-data" else []

    @contextmanager
    def reading(self, name: str) -> Iterator[Iterator[bytes]]:
        if name == "jaeger-data":
            self.statuses = [container.status for container in self.containers]
        data = self.content[name]
        yield (data[start : start + 700] for start in range(0, len(data), 700))

    def replace(self, name: str, chunks: Iterable[bytes]) -> None:
        self.content[name] = b"".join(chunks)


def volumes(*users: FakeContainer) -> FakeVolumes:
    """Give the data of a stack."""
    return FakeVolumes({name: tar(name, {"data": name.encode() * 500}) for name in DATA_VOLUMES}, users)
