"""``python -m ops``: all commands, and the one place where their failures are reported."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import typer

from ops.commands import data, health, kafka, planning, smoke, stack
from ops.errors import OpsError
from ops.screen import err, show_error
from ops.web import keep_loopback_direct

app = typer.Typer(
    help="Bring an otel-stack up and down, prove it, watch it, back it up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for command in (
    stack.doctor,
    stack.prepare,
    stack.up,
    stack.preview,
    stack.unlocked,
    stack.render,
    stack.down,
    stack.destroy,
    stack.password,
    stack.env,
    stack.forward,
    stack.outputs,
    smoke.smoke,
    health.health,
    data.backup,
    data.restore,
    kafka.lag,
    kafka.topics,
    planning.plan,
):
    app.command()(command)
app.add_typer(kafka.deadletters, name="deadletters")


def main() -> None:
    """Run a command; report a failure in words, without a traceback."""
    keep_loopback_direct(os.environ)
    try:
        _refuse_an_empty_name(os.environ)
        app()
    except OpsError as error:
        show_error(error)
        sys.exit(error.status)
    except KeyboardInterrupt:
        err.print("interrupted")
        sys.exit(130)


def _refuse_an_empty_name(environ: Mapping[str, str]) -> None:
    """Do not take a variable that was meant to name a stack, and was not set, for the default."""
    if environ.get("STACK") == "":
        raise OpsError("STACK is empty", "name a stack, such as STACK=dev, or unset it for dev", status=2)
