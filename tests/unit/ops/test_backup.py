"""Backups are whole or not there, and programs run on."""

from __future__ import annotations

import gzip
import json
import os
import signal
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ops.__main__ import end_in_order
from ops.backup import create
from ops.backup.archive import check, pack, unpacked
from ops.backup.create import Source, make_backup
from ops.backup.manifest import FILE_NAME, Archive, load_manifest
from ops.backup.retention import folder_name, partial_name
from ops.errors import OpsError
from tests.support.backups import DATA_VOLUMES, NOW, FakeContainer, FakeVolumes, tar, volumes

TOLD_TO_END = (signal.SIGTERM, signal.SIGHUP)
told_to_end = pytest.mark.parametrize("told", TOLD_TO_END)


@pytest.fixture
def _as_a_command(_hangups_count: None) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in TOLD_TO_END}
    end_in_order()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_backup_holds_data_state_configuration_and_their_digests(
    tmp_path: Path, backup_source: Source
) -> None:
    data = volumes()
    made = make_backup(backup_source, data, tmp_path / "backups", NOW, hot=False)
    assert made.name == "dev-20260301T020000Z"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    manifest = load_manifest(made)
    assert (manifest.stack, manifest.created, manifest.images) == ("dev", NOW, backup_source.images)
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


def test_all_of_a_backup_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, backup_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: list[Path] = []
    monkeypatch.setattr("os.fsync", lambda file: on_disk.append(Path(f"/proc/self/fd/{file}").readlink()))
    made = make_backup(backup_source, volumes(), tmp_path / "backups", NOW, hot=False)
    assert {path.name for path in on_disk} == {path.name for path in made.iterdir()}
    assert {path.parent.name for path in on_disk} == {partial_name(made.name)}


def test_what_waits_for_delivery_is_packed_before_the_stores(tmp_path: Path, backup_source: Source) -> None:
    """Else what is delivered in between would be in no archive."""
    names = ["prometheus-data", "loki-data", "kafka-data-1", "kafka-data-2", "jaeger-data", "otel-storage"]
    data = FakeVolumes({name: tar(name, {}) for name in names})
    source = replace(backup_source, volumes=names)
    made = make_backup(source, data, tmp_path / "backups", NOW, hot=False)
    packed = list(load_manifest(made).volumes)
    assert packed == ["kafka-data-1", "kafka-data-2", "otel-storage", *names[:2], "jaeger-data"]


def test_programs_are_paused_while_their_data_is_read(tmp_path: Path, backup_source: Source) -> None:
    jaeger = FakeContainer("jaeger")
    data = volumes(jaeger)
    make_backup(backup_source, data, tmp_path / "backups", NOW, hot=False)
    assert data.statuses == ["paused"]
    assert jaeger.history == ["pause", "unpause"]


def test_what_another_backup_has_paused_stays_so(tmp_path: Path, backup_source: Source) -> None:
    theirs = FakeContainer("jaeger")
    theirs.pause()
    with pytest.raises(OpsError, match=r"jaeger cannot be paused: .*already paused") as caught:
        make_backup(backup_source, volumes(theirs), tmp_path / "backups", NOW, hot=False)
    assert (
        "if another backup runs, wait for it; if one was killed: docker unpause jaeger" in caught.value.advice
    )
    assert theirs.history == ["pause"]


@told_to_end
@pytest.mark.usefixtures("_as_a_command")
def test_being_told_to_end_while_a_program_is_paused_resumes_it(
    tmp_path: Path, backup_source: Source, monkeypatch: pytest.MonkeyPatch, told: signal.Signals
) -> None:
    jaeger = FakeContainer("jaeger")
    pause = jaeger.pause

    def ended() -> None:
        pause()
        os.kill(os.getpid(), told)

    monkeypatch.setattr(jaeger, "pause", ended)
    with pytest.raises(SystemExit):
        make_backup(backup_source, volumes(jaeger), tmp_path / "backups", NOW, hot=False)
    assert jaeger.history == ["pause", "unpause"]


def test_two_backups_of_one_second_do_not_delete_each_other(tmp_path: Path, backup_source: Source) -> None:
    theirs = tmp_path / "backups" / partial_name(folder_name("dev", NOW))
    theirs.mkdir(parents=True)
    with pytest.raises(OpsError, match="File exists"):
        make_backup(backup_source, volumes(), tmp_path / "backups", NOW, hot=False)
    assert theirs.is_dir()


def test_hot_backup_pauses_nothing(tmp_path: Path, backup_source: Source) -> None:
    jaeger = FakeContainer("jaeger")
    make_backup(backup_source, volumes(jaeger), tmp_path / "backups", NOW, hot=True)
    assert jaeger.history == []


def test_program_that_cannot_be_paused_leaves_the_others_running(
    tmp_path: Path, backup_source: Source
) -> None:
    first, second = FakeContainer("jaeger"), FakeContainer("stubborn", obeys=False)
    with pytest.raises(OpsError, match="stubborn cannot be paused: cannot pause: no freezer"):
        make_backup(backup_source, volumes(first, second), tmp_path / "backups", NOW, hot=False)
    assert first.history == ["pause", "unpause"]
    assert second.history == []
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.parametrize("end", [100, 1536, -512, -1024, -9216])
def test_truncated_archive_leaves_nothing_behind(tmp_path: Path, backup_source: Source, end: int) -> None:
    jaeger = FakeContainer("jaeger")
    data = volumes(jaeger)
    data.content["jaeger-data"] = data.content["jaeger-data"].rstrip(b"\0") + bytes(1024)
    data.content["jaeger-data"] = data.content["jaeger-data"][:end] if end != -9216 else b""
    with pytest.raises(OpsError, match="broke off"):
        make_backup(backup_source, data, tmp_path / "backups", NOW, hot=False)
    assert list((tmp_path / "backups").iterdir()) == []
    assert jaeger.status == "running"


@told_to_end
@pytest.mark.usefixtures("_as_a_command")
def test_request_to_end_wakes_programs_and_removes_what_was_begun(
    tmp_path: Path, backup_source: Source, monkeypatch: pytest.MonkeyPatch, told: signal.Signals
) -> None:
    jaeger = FakeContainer("jaeger")

    def end(chunks: Iterable[bytes], path: Path) -> Archive:
        if path.name == "jaeger-data.tar.gz":
            os.kill(os.getpid(), told)
        return pack(chunks, path)

    monkeypatch.setattr(create, "pack", end)
    with pytest.raises(SystemExit) as caught:
        make_backup(backup_source, volumes(jaeger), tmp_path / "backups", NOW, hot=False)
    assert caught.value.code == 128 + told
    assert jaeger.history == ["pause", "unpause"]
    assert list((tmp_path / "backups").iterdir()) == []


def test_missing_volume_is_told_before_anything_is_written(tmp_path: Path, backup_source: Source) -> None:
    data = volumes()
    del data.content["loki-data"]
    with pytest.raises(OpsError, match="no such volume: loki-data"):
        make_backup(backup_source, data, tmp_path / "backups", NOW, hot=False)
    assert not (tmp_path / "backups").exists()


def test_stack_without_data_is_not_backed_up(tmp_path: Path, backup_source: Source) -> None:
    with pytest.raises(OpsError, match="no data volumes"):
        make_backup(replace(backup_source, volumes=()), volumes(), tmp_path / "backups", NOW, hot=False)


def test_full_disk_is_told_in_words(
    tmp_path: Path, backup_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_chunks: object, _path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(create, "pack", full)
    with pytest.raises(OpsError, match="the disk is full"):
        make_backup(backup_source, volumes(), tmp_path / "backups", NOW, hot=False)


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
    tmp_path: Path, backup_source: Source, change: dict[str, object], message: str
) -> None:
    made = make_backup(backup_source, volumes(), tmp_path / "backups", NOW, hot=False)
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
