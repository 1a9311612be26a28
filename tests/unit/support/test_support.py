"""What the tests themselves rely on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.stores.conftest import require_programs
from tests.support import connections
from tests.support.lab import missing
from tests.support.waiting import until


def test_a_missing_part_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Docker Engine"):
        missing("no Docker Engine")


def test_a_missing_part_fails_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI may skip nothing: no Docker Engine"):
        missing("no Docker Engine")


def test_stores_that_cannot_run_fail_under_ci(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("OTEL_STACK_LAB_CACHE", str(tmp_path))
    for user, reason in ((1000, "only root"), (0, "minio")):
        monkeypatch.setattr("os.geteuid", lambda user=user: user)
        with pytest.raises(pytest.fail.Exception, match=f"CI may skip nothing: .*{reason}"):
            require_programs()


def test_a_wait_gives_the_first_true_answer() -> None:
    answers = iter([0, 0, 7])
    assert until("an answer", lambda: next(answers), seconds=5, pause=0) == 7


def test_a_wait_that_is_over_says_what_it_was_for() -> None:
    with pytest.raises(AssertionError, match=re.escape("waited 0.01 s for rain; the last answer was: dry")):
        until("rain", lambda: _fail("dry"), seconds=0.01, pause=0, forgive=(LookupError,))


def test_an_error_that_is_not_forgiven_ends_a_wait() -> None:
    with pytest.raises(LookupError):
        until("rain", lambda: _fail("dry"), seconds=5, pause=0)


def test_a_pod_is_looked_at_through_its_oldest_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = "6f1c1ad0-95b4-4f6b-9b39-5d9c2f1f3a10"
    for number, started in ((517, 9000), (31000, 200), (31040, 300)):
        process = tmp_path / str(number)
        process.mkdir()
        (process / "cgroup").write_text(f"0::/kubepods/pod{uid}/x\n")
        (process / "stat").write_text(f"{number} (a (b) c) S {' 0' * 18} {started} 0 0\n")
    (tmp_path / "99").mkdir()
    monkeypatch.setattr(connections, "PROC", tmp_path)
    assert connections.processes_of([uid, "another"]) == {uid: tmp_path / "31000"}


def _fail(text: str) -> bool:
    raise LookupError(text)
