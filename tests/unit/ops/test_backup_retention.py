"""Old backups of a stack are deleted, and nothing else is."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from ops.backup.create import Source, make_backup
from ops.backup.manifest import FILE_NAME
from ops.backup.retention import Pruned, backups, folder_name, prune
from ops.commands import data
from ops.errors import OpsError
from tests.support.backups import DATA_VOLUMES, NOW, volumes


def backup_of(source: Source, folder: Path, days_ago: int) -> Path:
    return make_backup(source, volumes(), folder, NOW - timedelta(days=days_ago), hot=True)


def test_retention_deletes_old_backups_of_this_stack_only(tmp_path: Path, backup_source: Source) -> None:
    folder = tmp_path / "backups"
    old, edge, new = (backup_of(backup_source, folder, days) for days in (8, 7, 1))
    other = backup_of(
        Source(stack="prod", images={}, state=b"", volumes=DATA_VOLUMES, configuration={}), folder, 100
    )
    assert prune(folder, "dev", 7, NOW) == Pruned(deleted=[old], problems=[])
    assert backups(folder, "dev") == [edge, new]
    assert other.exists()


def test_retention_never_touches_what_it_did_not_make(tmp_path: Path, backup_source: Source) -> None:
    folder = tmp_path / "backups"
    real = backup_of(backup_source, folder, 100)
    lookalike = folder / folder_name("dev", NOW - timedelta(days=99))
    lookalike.mkdir()
    (lookalike / "family-photos.zip").write_text("")
    foreign = folder / folder_name("dev", NOW - timedelta(days=98))
    foreign.mkdir()
    (foreign / FILE_NAME).write_text('{"made_by": "someone else"}')
    renamed = folder / "keep-this-one"
    backup_of(backup_source, folder, 97).rename(renamed)
    elsewhere = backup_of(backup_source, tmp_path / "elsewhere", 96)
    (folder / elsewhere.name).symlink_to(elsewhere)
    (folder / "notes.txt").write_text("")
    assert prune(folder, "dev", 7, NOW).deleted == [real]
    assert lookalike.exists()
    assert foreign.exists()
    assert renamed.exists()
    assert elsewhere.exists()
    assert (folder / "notes.txt").exists()


def test_retention_of_zero_days_keeps_all(tmp_path: Path, backup_source: Source) -> None:
    old = backup_of(backup_source, tmp_path, 1000)
    assert prune(tmp_path, "dev", 0, NOW) == Pruned()
    assert old.exists()


def test_what_a_killed_run_left_is_removed_a_day_later(tmp_path: Path) -> None:
    left, running = tmp_path / ".dev-20260227T020000Z.partial", tmp_path / ".dev-20260301T013000Z.partial"
    for path, age in ((left, timedelta(days=2)), (running, timedelta(hours=1))):
        path.mkdir()
        os.utime(path, ((NOW - age).timestamp(),) * 2)
    assert prune(tmp_path, "dev", 7, NOW).deleted == [left]
    assert running.exists()


def test_what_cannot_be_deleted_is_named_and_keeps_nothing_else(
    tmp_path: Path, backup_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, old = (backup_of(backup_source, tmp_path / "backups", days) for days in (9, 8))
    remove = shutil.rmtree

    def refuse(path: Path) -> None:
        if path == stuck:
            raise PermissionError(13, "Permission denied", "manifest.json")
        remove(path)

    monkeypatch.setattr(shutil, "rmtree", refuse)
    pruned = prune(tmp_path / "backups", "dev", 7, NOW)
    assert pruned == Pruned(deleted=[old], problems=[f"{stuck}: manifest.json: Permission denied"])


def test_a_good_backup_is_told_before_what_could_not_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    session = SimpleNamespace(site=SimpleNamespace(volumes=lambda: None))
    monkeypatch.setattr(data, "reading", lambda _stack: session)
    monkeypatch.setattr(data, "_source", lambda _session: None)
    monkeypatch.setattr(data, "make_backup", lambda *_what, **_how: tmp_path / "dev-new")
    pruned = Pruned(deleted=[tmp_path / "dev-old"], problems=["dev-older: Permission denied"])
    monkeypatch.setattr(data, "prune", lambda *_what: pruned)
    with pytest.raises(OpsError, match=r"dev-new is complete, .* not be deleted: dev-older: Permission"):
        data.backup("dev", tmp_path)
    said = capfd.readouterr()
    assert said.out == f"{tmp_path / 'dev-new'}\n"
    assert "deleted: " in said.err
