"""Backups: whole or not there, checked before they are used, and nothing else deleted."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import stat
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError

from ops.backup import create
from ops.backup.archive import check, pack, unpacked
from ops.backup.create import Source, make_backup
from ops.backup.manifest import FILE_NAME, Archive, load_manifest
from ops.backup.restore import restore_backup
from ops.backup.retention import backups, folder_name, prune
from ops.backup.volumes import Volumes
from ops.errors import OpsError

DATA_VOLUMES = ("otel-storage", "jaeger-data", "loki-data", "grafana-data")
NOW = datetime(2026, 3, 1, 2, 0, 0, tzinfo=timezone.utc)


def tar(name: str, files: dict[str, bytes]) -> bytes:
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
    def __init__(self, name: str, *, obeys: bool = True) -> None:
        self.name = name
        self.status = "running"
        self.history: list[str] = []
        self._obeys = obeys

    def pause(self) -> None:
        if not self._obeys:
            raise APIError("cannot pause: no freezer")
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
    return FakeVolumes({name: tar(name, {"data": name.encode() * 500}) for name in DATA_VOLUMES}, users)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config: {}\n")
    return Source(
        stack="dev",
        images={"loki": "grafana/loki:3.7.8"},
        state=b'{"version": 3}',
        volumes=DATA_VOLUMES,
        configuration={file.name: file},
    )


def test_backup_holds_data_state_configuration_and_their_digests(tmp_path: Path, source: Source) -> None:
    data = volumes()
    made = make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    assert made.name == "dev-20260301T020000Z"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    manifest = load_manifest(made)
    assert (manifest.stack, manifest.created, manifest.images) == ("dev", NOW, source.images)
    assert set(manifest.volumes) == set(DATA_VOLUMES)
    for name, archive in manifest.volumes.items():
        check(made, archive)
        assert (made / archive.file).stat().st_size == archive.bytes
        assert stat.S_IMODE((made / archive.file).stat().st_mode) == 0o600
        assert archive.entries == 2
        assert gzip.decompress((made / archive.file).read_bytes()) == data.content[name]
    with tarfile.open(made / "configuration.tar.gz") as kept:
        assert sorted(kept.getnames()) == ["Pulumi.dev.yaml", "state.json"]
    assert sorted(path.name for path in (tmp_path / "backups").iterdir()) == [made.name]


def test_programs_are_paused_while_their_data_is_read(tmp_path: Path, source: Source) -> None:
    jaeger = FakeContainer("jaeger")
    data = volumes(jaeger)
    make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    assert data.statuses == ["paused"]
    assert jaeger.history == ["pause", "unpause"]


def test_hot_backup_pauses_nothing(tmp_path: Path, source: Source) -> None:
    jaeger = FakeContainer("jaeger")
    make_backup(source, volumes(jaeger), tmp_path / "backups", NOW, hot=True)
    assert jaeger.history == []


def test_program_that_cannot_be_paused_leaves_the_others_running(tmp_path: Path, source: Source) -> None:
    first, second = FakeContainer("jaeger"), FakeContainer("stubborn", obeys=False)
    with pytest.raises(OpsError, match="stubborn cannot be paused: cannot pause: no freezer"):
        make_backup(source, volumes(first, second), tmp_path / "backups", NOW, hot=False)
    assert first.history == ["pause", "unpause"]
    assert second.history == []
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.parametrize("end", [100, 1536, -512, -1024, -9216])
def test_truncated_archive_leaves_nothing_behind(tmp_path: Path, source: Source, end: int) -> None:
    jaeger = FakeContainer("jaeger")
    data = volumes(jaeger)
    data.content["jaeger-data"] = data.content["jaeger-data"].rstrip(b"\0") + bytes(1024)
    data.content["jaeger-data"] = data.content["jaeger-data"][:end] if end != -9216 else b""
    with pytest.raises(OpsError, match="broke off"):
        make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    assert list((tmp_path / "backups").iterdir()) == []
    assert jaeger.status == "running"


def test_request_to_end_wakes_programs_and_removes_what_was_begun(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    jaeger = FakeContainer("jaeger")

    def end(chunks: Iterable[bytes], path: Path) -> Archive:
        if path.name == "jaeger-data.tar.gz":
            os.kill(os.getpid(), signal.SIGTERM)
        return pack(chunks, path)

    monkeypatch.setattr(create, "pack", end)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        make_backup(source, volumes(jaeger), tmp_path / "backups", NOW, hot=False)
    assert caught.value.code == 143
    assert jaeger.history == ["pause", "unpause"]
    assert list((tmp_path / "backups").iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_missing_volume_is_told_before_anything_is_written(tmp_path: Path, source: Source) -> None:
    data = volumes()
    del data.content["loki-data"]
    with pytest.raises(OpsError, match="no such volume: loki-data"):
        make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    assert not (tmp_path / "backups").exists()


def test_stack_without_data_is_not_backed_up(tmp_path: Path, source: Source) -> None:
    with pytest.raises(OpsError, match="no data volumes"):
        make_backup(replace(source, volumes=()), volumes(), tmp_path / "backups", NOW, hot=False)


def test_full_disk_is_told_in_words(tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_chunks: object, _path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(create, "pack", full)
    with pytest.raises(OpsError, match="the disk is full"):
        make_backup(source, volumes(), tmp_path / "backups", NOW, hot=False)


def test_restore_gives_back_what_was_backed_up(tmp_path: Path, source: Source) -> None:
    data = volumes()
    before = dict(data.content)
    made = make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    data.content = {}
    restore_backup(made, data, [], force=False)
    assert data.content == before


def test_restore_of_one_volume_leaves_the_others(tmp_path: Path, source: Source) -> None:
    data = volumes()
    made = make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    data.content = {}
    restore_backup(made, data, ["loki-data"], force=False)
    assert set(data.content) == {"loki-data"}


def test_restore_refuses_volumes_that_hold_data_unless_forced(tmp_path: Path, source: Source) -> None:
    data = volumes()
    made = make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    newer = tar("loki-data", {"newer": b"x"})
    data.content = {name: tar(name, {}) for name in DATA_VOLUMES} | {"loki-data": newer}
    with pytest.raises(OpsError, match="hold data: loki-data") as caught:
        restore_backup(made, data, [], force=False)
    assert "--force" in caught.value.advice
    assert data.content["loki-data"] == newer
    assert data.is_empty("jaeger-data")
    restore_backup(made, data, [], force=True)
    assert data.content["loki-data"] != newer


def test_restore_refuses_volumes_in_use_even_when_forced(tmp_path: Path, source: Source) -> None:
    data = volumes()
    made = make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    data.mounted = {"loki-data": ["loki", "loki-data-owner"]}
    with pytest.raises(OpsError, match="loki-data by loki, loki-data-owner") as caught:
        restore_backup(made, data, [], force=True)
    assert "make down" in caught.value.advice


def test_damaged_backup_is_refused_before_anything_is_changed(tmp_path: Path, source: Source) -> None:
    data = volumes()
    made = make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    with (made / "grafana-data.tar.gz").open("ab") as file:
        file.write(b"x")
    data.content = {}
    with pytest.raises(OpsError, match=r"grafana-data\.tar\.gz is damaged"):
        restore_backup(made, data, [], force=True)
    (made / "grafana-data.tar.gz").unlink()
    with pytest.raises(OpsError, match="No such file"):
        restore_backup(made, data, [], force=True)
    assert data.content == {}


def test_docker_that_fails_in_the_middle_is_told_in_words(tmp_path: Path, source: Source) -> None:
    class Failing(FakeVolumes):
        def replace(self, name: str, chunks: Iterable[bytes]) -> None:
            raise APIError(f"{name}: no space left on device after {len(list(chunks))} chunks")

    made = make_backup(source, volumes(), tmp_path / "backups", NOW, hot=False)
    with pytest.raises(OpsError, match="otel-storage: no space left on device after 1 chunks") as caught:
        restore_backup(made, Failing({}), [], force=False)
    assert "starts it over" in caught.value.advice


def test_unknown_volume_names_those_of_the_backup(tmp_path: Path, source: Source) -> None:
    made = make_backup(source, volumes(), tmp_path / "backups", NOW, hot=False)
    with pytest.raises(OpsError, match="not in this backup: tempo-data") as caught:
        restore_backup(made, volumes(), ["tempo-data"], force=True)
    assert "loki-data" in caught.value.advice


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"made_by": "someone"}, "made by someone"),
        ({"format": 2}, "format 2"),
        ({"created": "yesterday"}, "is damaged"),
        ({"volumes": {"loki-data": {"file": "x"}}}, "is damaged"),
    ],
)
def test_foreign_manifest_is_refused(
    tmp_path: Path, source: Source, change: dict[str, object], message: str
) -> None:
    made = make_backup(source, volumes(), tmp_path / "backups", NOW, hot=False)
    path = made / FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(OpsError, match=message):
        load_manifest(made)


def test_folder_without_manifest_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="is not a backup"):
        load_manifest(tmp_path)


def test_archives_survive_the_way_to_disk_and_back(tmp_path: Path) -> None:
    data = tar("x", {"large": os.urandom(3_000_000), "empty": b""})
    archive = pack([data[:5], data[5:2_000_000], b"", data[2_000_000:]], tmp_path / "x.tar.gz")
    assert archive.unpacked_bytes == 3_000_000
    assert b"".join(unpacked(tmp_path / "x.tar.gz")) == data


def backup_of(source: Source, folder: Path, days_ago: int) -> Path:
    return make_backup(source, volumes(), folder, NOW - timedelta(days=days_ago), hot=True)


def test_retention_deletes_old_backups_of_this_stack_only(tmp_path: Path, source: Source) -> None:
    folder = tmp_path / "backups"
    old, edge, new = (backup_of(source, folder, days) for days in (8, 7, 1))
    other = backup_of(
        Source(stack="prod", images={}, state=b"", volumes=DATA_VOLUMES, configuration={}), folder, 100
    )
    assert prune(folder, "dev", 7, NOW) == [old]
    assert backups(folder, "dev") == [edge, new]
    assert other.exists()


def test_retention_never_touches_what_it_did_not_make(tmp_path: Path, source: Source) -> None:
    folder = tmp_path / "backups"
    real = backup_of(source, folder, 100)
    lookalike = folder / folder_name("dev", NOW - timedelta(days=99))
    lookalike.mkdir()
    (lookalike / "family-photos.zip").write_text("")
    foreign = folder / folder_name("dev", NOW - timedelta(days=98))
    foreign.mkdir()
    (foreign / FILE_NAME).write_text('{"made_by": "someone else"}')
    renamed = folder / "keep-this-one"
    backup_of(source, folder, 97).rename(renamed)
    elsewhere = backup_of(source, tmp_path / "elsewhere", 96)
    (folder / elsewhere.name).symlink_to(elsewhere)
    (folder / "notes.txt").write_text("")
    assert prune(folder, "dev", 7, NOW) == [real]
    assert lookalike.exists()
    assert foreign.exists()
    assert renamed.exists()
    assert elsewhere.exists()
    assert (folder / "notes.txt").exists()


def test_retention_of_zero_days_keeps_all(tmp_path: Path, source: Source) -> None:
    old = backup_of(source, tmp_path, 1000)
    assert prune(tmp_path, "dev", 0, NOW) == []
    assert old.exists()


def test_what_a_killed_run_left_is_removed_a_day_later(tmp_path: Path) -> None:
    left, running = tmp_path / ".dev-20260227T020000Z.partial", tmp_path / ".dev-20260301T013000Z.partial"
    for path, age in ((left, timedelta(days=2)), (running, timedelta(hours=1))):
        path.mkdir()
        os.utime(path, ((NOW - age).timestamp(),) * 2)
    assert prune(tmp_path, "dev", 7, NOW) == [left]
    assert running.exists()
