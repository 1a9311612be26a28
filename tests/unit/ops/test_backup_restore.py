"""Restoring: a backup is checked before it is used, and no data is replaced unasked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import requests
from docker.errors import APIError

from ops.backup.create import Source, make_backup
from ops.backup.restore import restore_backup
from ops.errors import OpsError
from tests.support.backups import DATA_VOLUMES, NOW, FakeVolumes, tar, volumes


def test_restore_gives_back_what_was_backed_up(tmp_path: Path, backup_source: Source) -> None:
    data = volumes()
    before = dict(data.content)
    made = make_backup(backup_source, data, tmp_path / "backups", NOW, hot=False)
    data.content = {}
    restore_backup(made, data, [], force=False)
    assert data.content == before


def test_restore_of_one_volume_leaves_the_others(tmp_path: Path, backup_source: Source) -> None:
    data = volumes()
    made = make_backup(backup_source, data, tmp_path / "backups", NOW, hot=False)
    data.content = {}
    restore_backup(made, data, ["loki-data"], force=False)
    assert set(data.content) == {"loki-data"}


def test_restore_refuses_volumes_that_hold_data_unless_forced(tmp_path: Path, backup_source: Source) -> None:
    data = volumes()
    made = make_backup(backup_source, data, tmp_path / "backups", NOW, hot=False)
    newer = tar("loki-data", {"newer": b"x"})
    data.content = {name: tar(name, {}) for name in DATA_VOLUMES} | {"loki-data": newer}
    with pytest.raises(OpsError, match="hold data: loki-data") as caught:
        restore_backup(made, data, [], force=False)
    assert "--force" in caught.value.advice
    assert data.content["loki-data"] == newer
    assert data.is_empty("jaeger-data")
    restore_backup(made, data, [], force=True)
    assert data.content["loki-data"] != newer


def test_restore_refuses_volumes_in_use_even_when_forced(tmp_path: Path, backup_source: Source) -> None:
    data = volumes()
    made = make_backup(backup_source, data, tmp_path / "backups", NOW, hot=False)
    data.mounted = {"loki-data": ["loki", "loki-data-owner"]}
    with pytest.raises(OpsError, match="loki-data by loki, loki-data-owner") as caught:
        restore_backup(made, data, [], force=True)
    assert "make down" in caught.value.advice


def test_damaged_backup_is_refused_before_anything_is_changed(tmp_path: Path, backup_source: Source) -> None:
    data = volumes()
    made = make_backup(backup_source, data, tmp_path / "backups", NOW, hot=False)
    with (made / "grafana-data.tar.gz").open("ab") as file:
        file.write(b"x")
    data.content = {}
    with pytest.raises(OpsError, match=r"grafana-data\.tar\.gz is damaged"):
        restore_backup(made, data, [], force=True)
    (made / "grafana-data.tar.gz").unlink()
    with pytest.raises(OpsError, match="No such file"):
        restore_backup(made, data, [], force=True)
    assert data.content == {}


@pytest.mark.parametrize("failure", [APIError, requests.exceptions.ReadTimeout])
def test_docker_that_fails_in_the_middle_is_told_in_words(
    tmp_path: Path, backup_source: Source, failure: type[Exception]
) -> None:
    class Failing(FakeVolumes):
        def replace(self, name: str, chunks: Iterable[bytes]) -> None:
            raise failure(f"{name}: no space left on device after {len(list(chunks))} chunks")

    made = make_backup(backup_source, volumes(), tmp_path / "backups", NOW, hot=False)
    with pytest.raises(OpsError, match="otel-storage: no space left on device after 1 chunks") as caught:
        restore_backup(made, Failing({}), [], force=False)
    assert "starts it over" in caught.value.advice


def test_unknown_volume_names_those_of_the_backup(tmp_path: Path, backup_source: Source) -> None:
    made = make_backup(backup_source, volumes(), tmp_path / "backups", NOW, hot=False)
    with pytest.raises(OpsError, match="not in this backup: tempo-data") as caught:
        restore_backup(made, volumes(), ["tempo-data"], force=True)
    assert "loki-data" in caught.value.advice
