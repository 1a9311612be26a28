"""``python -m tests`` passes only if both of its runs do, and leaves neither behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

import tests.__main__ as two_runs
from tests.conftest import ENGINES
from tests.support.waiting import until

INTERRUPTED = int(pytest.ExitCode.INTERRUPTED)


def played(*, engines: str, others: str) -> tuple[str, ...]:
    """Give a command that runs one of two programs in the place of the two runs of pytest."""
    imports = "import os, pathlib, sys, time"
    bodies = [indent(dedent(body), "    ") for body in (engines, others)]
    program = f"{imports}\nif sys.argv[2] == {ENGINES!r}:\n{bodies[0]}\nelse:\n{bodies[1]}\n"
    return sys.executable, "-c", program


@pytest.mark.parametrize(("engines", "others", "status"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (3, 1, 3)])
def test_it_passes_only_if_both_do(
    engines: int, others: int, status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command = played(engines=f"sys.exit({engines})", others=f"print('the others')\nsys.exit({others})")
    monkeypatch.setattr(two_runs, "PYTEST", command)
    assert two_runs.main() == status
    assert capfd.readouterr().out.endswith("the others\n\n")


def test_it_ends_with_how_long_the_groups_took_in_both(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tests = tmp_path / "tests"
    for name, mark in (("kubernetes", ""), ("e2e/phase3", ENGINES), ("e2e/phase1", ENGINES), ("unit", "")):
        folder = tests / name
        folder.mkdir(parents=True)
        marked = f"@pytest.mark.{mark}\n" if mark else ""
        (folder / f"test_{folder.name}.py").write_text(f"import pytest\n\n{marked}def test_it(): pass\n")
    options = ("-p", "tests.conftest", f"--rootdir={tmp_path}", str(tests))
    monkeypatch.setattr(two_runs, "PYTEST", (*two_runs.PYTEST, *options))
    assert two_runs.main() == 0
    report = capfd.readouterr().out.rpartition("How long the tests took:\n")[2]
    lines = [line.split(maxsplit=1) for line in report.splitlines()]
    assert {group for _, group in lines[:-1]} == {"Kubernetes", "Docker", "unit"}
    assert lines[-1][1] == "all, side by side"


def test_the_run_beside_yields_to_others(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command = played(engines="sys.exit(0)", others="time.sleep(0.5)\nprint('nice', os.nice(0))")
    monkeypatch.setattr(two_runs, "PYTEST", command)
    assert two_runs.main() == 0
    assert f"nice {two_runs.NICENESS}" in capfd.readouterr().out


def test_an_interrupted_run_ends_the_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    command = played(
        engines=f"""
        while not pathlib.Path({str(noted)!r}).exists():
            time.sleep(0.05)
        sys.exit({INTERRUPTED})
        """,
        others=f"""
        pathlib.Path({str(noted)!r}).write_text(str(os.getpid()))
        time.sleep(60)
        """,
    )
    monkeypatch.setattr(two_runs, "PYTEST", command)
    assert two_runs.main() == INTERRUPTED
    assert not Path(f"/proc/{noted.read_text()}").exists()


@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN], ids=["terminal", "background job"])
def test_asked_to_end_it_lets_the_run_with_engines_clean_up(
    inherited: signal.Handlers, tmp_path: Path
) -> None:
    started, cleaned = tmp_path / "started", tmp_path / "cleaned"
    command = played(
        engines=f"""
        try:
            pathlib.Path({str(started)!r}).touch()
            time.sleep(60)
        except KeyboardInterrupt:
            pathlib.Path({str(cleaned)!r}).touch()
            sys.exit({INTERRUPTED})
        """,
        others="time.sleep(60)",
    )
    start = f"import sys, tests.__main__ as two\ntwo.PYTEST = {command!r}\nsys.exit(two.main())"
    before = signal.signal(signal.SIGINT, inherited)
    try:
        run = subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.DEVNULL)
    finally:
        signal.signal(signal.SIGINT, before)
    until("its start", started.exists, seconds=20)
    os.kill(run.pid, signal.SIGTERM)
    assert run.wait(30) == INTERRUPTED
    assert cleaned.exists()
