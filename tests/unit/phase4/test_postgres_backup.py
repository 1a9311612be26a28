"""The dumps of Grafana's database: scripts and probes, run by this machine's shell."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from components.values.documents import text
from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.recorder import recorder
from tests.support.variants_phase4 import OBJECT_VARIANTS

HOUR, DAY = 3600, 86400


@pytest.fixture(scope="module")
def rendered() -> Tree:
    settings = OBJECT_VARIANTS["phase4-small"]
    return tree(run_program(settings), settings)


@pytest.mark.parametrize(("number", "file"), [(0, "/tmp/last-dump"), (1, "/tmp/last-upload")])  # noqa: S108
def test_an_old_success_is_not_ready_and_not_restarted(
    rendered: Tree, tmp_path: Path, number: int, file: str
) -> None:
    container = rendered.program("postgres-backup").containers[number]
    mark = tmp_path / "mark"

    def answers(probe: str) -> bool:
        command = [part.replace(file, str(mark)) for part in container[probe]["exec"]["command"]]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    assert (answers("readinessProbe"), answers("livenessProbe")) == (False, False)
    for hours, ready in ((0, True), (25, True), (27, False)):
        mark.touch()
        os.utime(mark, (time.time() - hours * HOUR,) * 2)
        assert (answers("readinessProbe"), answers("livenessProbe")) == (ready, True), hours


class TestDumps:
    @pytest.fixture
    def volume(self, tmp_path: Path) -> Path:
        """Dumps of 30, 20 and 1 days ago, and one that was never finished."""
        folder = tmp_path / "backups" / "dumps"
        folder.mkdir(parents=True)
        for days in (30, 20, 1):
            made = time.time() - days * DAY
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(made))
            for file in (folder / f"grafana-{stamp}.dump", folder / "grafana-20260101T000000Z.dump.part"):
                file.write_text(str(days))
                os.utime(file, (made, made))
        return folder

    def run(self, tmp_path: Path, pg_dump: str) -> subprocess.CompletedProcess[str]:
        """Run the script for one dump; where it would wait, it is stopped."""
        programs = tmp_path / "bin"
        programs.mkdir()
        for name, body in (("pg_dump", pg_dump), ("sleep", "kill -TERM $PPID")):
            (programs / name).write_text(f"#!/bin/sh\n{body}\n")
            (programs / name).chmod(0o755)
        script, password = tmp_path / "backup.sh", tmp_path / "password"
        password.write_text("a:b\\c'd\n")
        script.write_text(
            text("postgres/backup.sh")
            .replace("=/tmp/", f"={tmp_path}/")
            .replace("=/backups", f"={tmp_path}/backups")
        )
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PGHOST": "postgres",
            "PGDATABASE": "grafana",
            "PGUSER": "grafana",
            "PASSWORD_FILE": str(password),
            "BACKUPS_KEPT_DAYS": "14",
        }
        return subprocess.run(
            ["/bin/sh", script], env=environment, check=True, capture_output=True, text=True, timeout=30
        )

    def test_old_ones_go_before_a_new_one_comes(self, volume: Path, tmp_path: Path) -> None:
        on_arrival = (
            f'ls "{volume}" > "{tmp_path}/seen"; for last; do :; done; echo new > "${{last#--file=}}"'
        )
        done = self.run(tmp_path, on_arrival)
        assert "dumped" in done.stdout, done.stderr
        assert len((tmp_path / "seen").read_text().split()) == 1
        assert sorted(file.read_text().strip() for file in volume.iterdir()) == ["1", "new"]

    def test_those_of_earlier_versions_are_kept_beside_new_ones(self, volume: Path, tmp_path: Path) -> None:
        before = [file.rename(volume.parent / file.name) for file in volume.glob("*.dump")]
        self.run(tmp_path, "exit 1")
        assert not any(file.exists() for file in before)
        assert [file.read_text() for file in volume.iterdir()] == ["1"]

    def test_the_password_is_in_a_file_of_libpq_and_in_no_variable(
        self, volume: Path, tmp_path: Path
    ) -> None:
        """A colon and a backslash mean something there (PostgreSQL, "The Password File")."""
        assert volume.is_dir()
        self.run(tmp_path, f'env > "{tmp_path}/environment"; exit 1')
        seen = (tmp_path / "environment").read_text()
        assert f"PGPASSFILE={tmp_path}/pgpass\n" in seen
        assert "b\\c" not in seen
        passwords = tmp_path / "pgpass"
        assert passwords.read_text() == "*:*:*:*:a\\:b\\\\c'd\n"
        assert passwords.stat().st_mode & 0o777 == 0o600, "libpq ignores one that others may read"

    def test_the_newest_stays_however_old(self, volume: Path, tmp_path: Path) -> None:
        for file in volume.iterdir():
            if file.read_text() == "1":
                file.unlink()
        done = self.run(tmp_path, "exit 1")
        assert "failed: pg_dump" in done.stderr
        assert [file.read_text() for file in volume.iterdir()] == ["20"]


class TestReport:
    def run(self, rendered: Tree, tmp_path: Path, address: str) -> None:
        """Let it tell once; where it would wait, it is stopped."""
        (tmp_path / "sleep").write_text('#!/bin/sh\nkill "$PPID"\n')
        (tmp_path / "sleep").chmod(0o755)
        backup = rendered.program("postgres-backup")
        for script in ("report.sh", "send-metrics.sh"):
            text = rendered.files(backup)[script].replace("=/tmp/", f"={tmp_path}/")
            (tmp_path / script).write_text(text)
        given = backup.environment()
        store = given["METRICS"].partition("/")[0]
        subprocess.run(
            ["bash", str(tmp_path / "report.sh")],
            env={
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "METRICS": given["METRICS"].replace(store, address.removeprefix("http://")),
                "HEADER": given["HEADER"],
            },
            check=True,
            capture_output=True,
            timeout=30,
        )

    def test_the_time_of_the_last_upload_is_told(self, rendered: Tree, tmp_path: Path) -> None:
        mark = tmp_path / "last-upload"
        mark.touch()
        os.utime(mark, (1_700_000_000,) * 2)
        with recorder() as (address, seen):
            self.run(rendered, tmp_path, address)
        (one,) = seen
        assert (one.path, one.headers["X-Scope-OrgID"]) == ("/otlp/v1/metrics", "otel-stack")
        (resource,) = json.loads(one.body)["resourceMetrics"]
        (metric,) = resource["scopeMetrics"][0]["metrics"]
        (point,) = metric["gauge"]["dataPoints"]
        assert (metric["name"], metric["unit"]) == ("postgres.backup.last_upload", "s")
        assert int(point["asInt"]) == 1_700_000_000
        assert abs(int(point["timeUnixNano"]) / 1e9 - time.time()) < HOUR

    def test_before_the_first_one_nothing_is_told(self, rendered: Tree, tmp_path: Path) -> None:
        with recorder() as (address, seen):
            self.run(rendered, tmp_path, address)
        assert seen == []


@pytest.mark.parametrize("mode", ["builtin", "external"])
def test_dumps_are_watched_where_there_are_some(mode: str) -> None:
    elsewhere = {"mode": mode, "host": "db.example.com", "passwordSecret": "grafana-database"}
    settings = {
        **OBJECT_VARIANTS["phase4-small"],
        "postgres": elsewhere if mode == "external" else {"mode": mode},
    }
    found = tree(run_program(settings), settings)
    rules = [path for path in found.files(found.program("mimir")) if path.endswith("/dumps.yaml")]
    assert bool(rules) is (mode == "builtin")
