"""The command line: exit statuses, and failures without tracebacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from ops import cli, lifecycle
from ops.__main__ import end_in_order, forget_applications
from ops.commands import health, smoke, stack
from ops.errors import OpsError
from ops.health.model import Reading
from ops.outputs import StackOutputs
from ops.project import ROOT
from ops.smoke.run import Arrival, Report
from ops.web import base_address, keep_loopback_direct

ADDRESSES_OF_ALL = {
    "contract_version": "1",
    "otlp_grpc_endpoint": "http://127.0.0.1:4317",
    "otlp_http_endpoint": "http://127.0.0.1:4318",
    "grafana_url": "http://127.0.0.1:3000",
    "grafana_admin_user": "admin",
    "traces_ui_url": "http://127.0.0.1:16686",
    "metrics_query_url": "http://127.0.0.1:9090",
    "logs_query_url": "http://127.0.0.1:3100",
}
OUTPUTS = StackOutputs({"contract_version": "1", "phase": 1, "grafana_url": "http://127.0.0.1:3000"})


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Call the command line; give its exit status."""
    monkeypatch.setattr(sys, "argv", ["ops", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "keep_loopback_direct", lambda _environ: None)
    monkeypatch.delenv("STACK", raising=False)


def test_failure_is_told_in_two_lines(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_stack: str) -> None:
        raise OpsError("the disk is [full]", "free some", status=2)

    monkeypatch.setattr(lifecycle, "down", fail)
    assert call(monkeypatch, "down") == 2
    assert capfd.readouterr().err == "failed: the disk is [full]\nto do:  free some\n"


def test_interrupt_is_not_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_stack: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lifecycle, "preview", interrupt)
    assert call(monkeypatch, "preview") == 130
    assert "Traceback" not in capfd.readouterr().err


def typed(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as people do, with more variables than here."""
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_variables_of_applications_do_not_reach_the_sdk_of_these_commands() -> None:
    nowhere = [part if part.startswith("--") else "http://127.0.0.1:1" for part in ADDRESSES]
    result = typed(
        *("smoke", "--timeout", "1", "--json", *nowhere),
        OTEL_PROPAGATORS="b3-of-no-package",
        OTEL_SDK_DISABLED="true",
    )
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    arrivals = json.loads(result.stdout)["arrivals"]
    assert all("no connection to http://127.0.0.1:1" in one["detail"] for one in arrivals)


WITH_A_TERMINAL = """
import os, signal, sys
from pathlib import Path
from ops.__main__ import end_in_order

terminal = os.open(sys.argv[1], os.O_RDWR)
os.dup2(terminal, 1)
os.dup2(terminal, 2)
end_in_order()
try:
    print("begun", flush=True)
    signal.pause()
finally:
    os.kill(os.getpid(), signal.SIGHUP)
    print("said to nobody", flush=True)
    Path(sys.argv[2]).touch()
"""


@pytest.mark.usefixtures("_hangups_count")
def test_a_terminal_that_is_lost_lets_a_command_clean_up(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    script = [sys.executable, "-c", WITH_A_TERMINAL, os.ttyname(theirs), str(tmp_path / "cleaned up")]
    command = subprocess.Popen(script, cwd=ROOT, start_new_session=True)
    assert b"begun" in os.read(ours, 100)
    os.close(theirs)
    os.close(ours)
    assert command.wait(20) == 128 + signal.SIGHUP
    assert (tmp_path / "cleaned up").exists()


def test_a_hangup_that_is_ignored_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[int] = []
    monkeypatch.setattr(signal, "getsignal", lambda _number: signal.SIG_IGN)
    monkeypatch.setattr(signal, "signal", lambda number, _handler: handled.append(number))
    end_in_order()
    assert handled == [signal.SIGTERM]


def test_the_projects_own_variables_stay() -> None:
    environ = {"OTEL_STACK_LAB": "never", "OTEL_SERVICE_NAME": "checkout", "PATH": "/bin"}
    forget_applications(environ)
    assert environ == {"OTEL_STACK_LAB": "never", "PATH": "/bin"}


@pytest.mark.parametrize(
    ("words", "exported", "counts"),
    [
        (["{}=1"], "", True),
        (["{}=1"], "0", True),
        ([], "1", False),
        (["{}=0"], "", False),
        (["{}=no"], "1", False),
        (["{}=false"], "", False),
        (["{}="], "", False),
        ([], "", False),
    ],
)
@pytest.mark.parametrize(
    ("target", "variable", "option"), [("restore", "FORCE", "--force"), ("render", "NEW", "--new")]
)
def test_what_replaces_data_is_typed_after_make(
    target: str, variable: str, option: str, words: list[str], exported: str, counts: bool
) -> None:
    command = ["make", "--dry-run", target, "FROM=backups/x", *(word.format(variable) for word in words)]
    environment = {**os.environ, "MAKEFLAGS": "", variable: exported}
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    line = next(one for one in shown.stdout.splitlines() if f"-m ops {target}" in one)
    assert (option in line.split()) is counts


@pytest.mark.parametrize("command", [["make", "--dry-run", "down"], [sys.executable, "-m", "ops", "down"]])
def test_an_empty_name_of_a_stack_is_not_the_default(command: list[str]) -> None:
    environment = {**os.environ, "MAKEFLAGS": "", "STACK": ""}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "STACK is empty" in ended.stderr


def test_unknown_stack_is_told_in_words() -> None:
    result = typed("outputs", "--stack", "nowhere")
    assert result.returncode == 2
    assert "no stack 'nowhere'" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_password_prints_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stack, "reading", lambda _stack: None)
    monkeypatch.setattr(stack, "grafana_password", lambda _session: "[b]:smile:\\x")
    assert call(monkeypatch, "password") == 0
    assert capfd.readouterr() == ("[b]:smile:\\x\n", "")


def test_outputs_for_machines(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(stack, "reading", lambda _stack: SimpleNamespace(outputs=lambda: OUTPUTS))
    assert call(monkeypatch, "outputs", "--json") == 0
    assert json.loads(capfd.readouterr().out) == OUTPUTS.values


def test_destroy_asks(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    destroyed: list[tuple[str, bool]] = []

    def destroy(name: str, agreed: Callable[[str], bool]) -> None:
        destroyed.append((name, agreed(f"Delete {name} and the volumes a, b?")))

    monkeypatch.setattr(lifecycle, "destroy", destroy)
    monkeypatch.setattr(typer, "confirm", lambda _question: False)
    assert call(monkeypatch, "destroy") == 0
    assert call(monkeypatch, "destroy", "--yes", "--stack", "qa") == 0
    assert destroyed == [("dev", False), ("qa", True)]
    assert "the volumes a, b" in capfd.readouterr().err, "what is lost is named without asking as well"


def report(*, arrived: bool) -> Report:
    arrival = Arrival(
        transport="grpc", signal="trace", store="Jaeger", arrived=arrived, seconds=0.5, detail="trace [a]"
    )
    return Report(smoke_id="id1", arrivals=(arrival,))


ADDRESSES = [
    option
    for name in ("grpc", "http", "traces", "metrics", "logs")
    for option in (f"--{name}", "http://127.0.0.1:1")
]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("localhost:4317", "it begins with neither http:// nor https://"),
        ("", "it begins with neither http:// nor https://"),
        ("http://", "it names no host"),
        ("http://127.0.0.1:99999", "its port is not one of 1 to 65535"),
        ("http://127.0.0.1:0", "its port is not one of 1 to 65535"),
        ("http://127.0.0.1:x", "Invalid port: 'x'"),
        ("http://127.0.0.1:4318\n", "Invalid non-printable"),
        ("http://a..b", "label empty"),
        ("http://127.0.0.1:4318?x=y", "it goes on after its path"),
    ],
)
@pytest.mark.parametrize(
    ("command", "option"),
    [*((("smoke",), option) for option in ADDRESSES[::2]), (("deadletters", "replay", "--all"), "--http")],
)
def test_what_is_no_address_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    option: str,
    given: str,
    why: str,
) -> None:
    assert call(monkeypatch, *command, option, given) == 2
    said = capfd.readouterr().err
    assert said.startswith(f"failed: {option} ")
    assert f"{given!r}: " in said
    assert why in said
    assert "to do:  give http:// or https://" in said


def test_what_is_no_address_in_a_variable_is_told_as_well(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMOKE_GRPC", "localhost:4317")
    assert call(monkeypatch, "smoke") == 2
    assert capfd.readouterr().err.startswith("failed: --grpc or SMOKE_GRPC is 'localhost:4317': ")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9009/prometheus/", "https://otlp.example.com", "HTTP://[::1]:4317"]
)
def test_addresses_may_have_a_port_and_a_path(address: str) -> None:
    assert base_address(address) == address.rstrip("/")


@pytest.mark.parametrize(("arrived", "status"), [(True, 0), (False, 1)])
def test_smoke_status_and_both_forms(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arrived: bool, status: int
) -> None:
    monkeypatch.setattr(smoke, "run", lambda _endpoints, _timeout: report(arrived=arrived))
    assert call(monkeypatch, "smoke", *ADDRESSES) == status
    shown = capfd.readouterr().out
    assert "trace over grpc" in shown
    assert "trace [a]" in shown
    assert call(monkeypatch, "smoke", "--json", *ADDRESSES) == status
    assert json.loads(capfd.readouterr().out)["passed"] is arrived


def test_up_fails_when_its_proof_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "endpoints", lambda _given, _settings, _outputs: None)
    monkeypatch.setattr(smoke, "run", lambda _endpoints, _timeout: report(arrived=False))
    session: Any = SimpleNamespace(
        reached=lambda: nullcontext(OUTPUTS),
        site=SimpleNamespace(log_of=lambda name: f"log of {name}"),
        stack=SimpleNamespace(settings=None),
    )
    with pytest.raises(OpsError, match="not everything") as caught:
        smoke.prove(session)
    assert "log of <name>" in caught.value.advice


@pytest.mark.parametrize(("state", "status"), [("healthy", 0), ("degraded", 1), ("unknown", 2)])
def test_health_status_and_both_forms(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], state: str, status: int
) -> None:
    reading = Reading(area="disk", name="loki-data", status=state, found="[1%]", advice="free some")  # type: ignore[arg-type]
    monkeypatch.setattr(health, "reading", lambda _stack: None)
    monkeypatch.setattr(health, "gather", lambda _session, _window: [reading])
    assert call(monkeypatch, "health") == status
    shown = capfd.readouterr().out
    assert "[1%]" in shown
    assert ("free some" in shown) is (state != "healthy")
    assert call(monkeypatch, "health", "--json") == status
    assert json.loads(capfd.readouterr().out)["status"] == state


def test_wrong_window_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "health", "--window", "soon") == 2
    assert "--window soon" in capfd.readouterr().err


def test_loopback_never_goes_through_a_proxy() -> None:
    environ = {"NO_PROXY": "example.com,localhost"}
    keep_loopback_direct(environ)
    assert environ["NO_PROXY"] == "example.com,localhost,127.0.0.1,::1"
    assert environ["no_proxy"] == "localhost,127.0.0.1,::1"


def test_forward_is_open_until_it_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    open_now: list[bool] = []

    @contextmanager
    def reached(*, usual_ports: bool) -> Iterator[StackOutputs]:
        open_now.append(usual_ports)
        yield StackOutputs(ADDRESSES_OF_ALL)
        open_now.clear()

    def interrupt() -> None:
        assert open_now == [True]
        raise KeyboardInterrupt

    monkeypatch.setattr(stack, "reading", lambda _stack: SimpleNamespace(reached=reached))
    monkeypatch.setattr(signal, "pause", interrupt)
    assert call(monkeypatch, "forward") == 0
    assert open_now == []
    assert "http://127.0.0.1:3000  (user admin" in capfd.readouterr().out


def test_render_prints_the_folder(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(stack, "render_manifests", lambda _name, to, *, new: to / f"written-{new}")
    assert call(monkeypatch, "render", "--to", str(tmp_path)) == 0
    assert capfd.readouterr().out == f"{tmp_path}/written-False\n"
    assert call(monkeypatch, "render", "--to", str(tmp_path), "--new") == 0
    assert capfd.readouterr().out == f"{tmp_path}/written-True\n"
