"""Commands about a stack as a whole."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ops import lifecycle
from ops.commands.options import AsJson, StackName
from ops.commands.smoke import prove
from ops.environment import export_lines
from ops.password import grafana_password
from ops.project import load_stack
from ops.render.manifests import render as render_manifests
from ops.screen import heading, print_json, print_plain, say
from ops.session import reading
from ops.unlocked import unlocked_file


def doctor(stack: StackName = "dev") -> None:
    """Check everything that `up` needs and change nothing."""
    lifecycle.doctor(stack)


def prepare(stack: StackName = "dev") -> None:
    """Install the Pulumi CLI and plugins or, on a closed network, prepare the lab; deploy nothing."""
    lifecycle.prepare(stack)


def up(
    stack: StackName = "dev",
    smoke: Annotated[bool, typer.Option(help="Prove the stack with live telemetry afterwards.")] = True,
) -> None:
    """Set up what is missing, deploy the stack, and prove it with live telemetry."""
    session = lifecycle.up(stack)
    if smoke:
        heading("Proof on live data")
        prove(session)
    heading("Ready")
    lifecycle.show_next_steps(session)


def preview(stack: StackName = "dev") -> None:
    """Show what `up` would change."""
    lifecycle.preview(stack)


def unlocked(stack: StackName = "dev") -> None:
    """Print the stack's file without its salt and secrets, to preview it without its passphrase."""
    print_plain(unlocked_file(load_stack(stack)).rstrip("\n"))


def render(
    stack: StackName = "dev",
    to: Annotated[
        Path | None, typer.Option(help="Folder; kubernetes.render of the settings when not given.")
    ] = None,
    new: Annotated[
        bool,
        typer.Option("--new", help="The folder's manifests were never applied: let fixed values change."),
    ] = False,
) -> None:
    """Write a Kubernetes stack as manifests for Git, with what points Argo CD and Flux at the repository."""
    print_plain(str(render_manifests(stack, to, new=new)))


def forward(stack: StackName = "dev") -> None:
    """Open a cluster's programs on their usual ports of 127.0.0.1, until Ctrl-C."""
    with reading(stack).reached(usual_ports=True) as outputs:
        lifecycle.show_addresses(outputs)
        say("open until Ctrl-C")
        with suppress(KeyboardInterrupt):
            signal.pause()


def down(stack: StackName = "dev") -> None:
    """Remove everything but the data volumes; the next `up` finds the data again."""
    lifecycle.down(stack)


def destroy(
    stack: StackName = "dev",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove everything, the data and the stack's state included."""
    lifecycle.destroy(stack, _told if yes else typer.confirm)


def password(stack: StackName = "dev") -> None:
    """Print Grafana's admin password, and nothing else."""
    print_plain(grafana_password(reading(stack)))


def env(stack: StackName = "dev") -> None:
    """Print shell lines for plain pulumi commands: (eval "$(python -m ops env)"; pulumi ...)."""
    for line in export_lines(reading(stack)):
        print_plain(line)


def outputs(stack: StackName = "dev", as_json: AsJson = False) -> None:
    """Show what the stack exports to other teams."""
    values = reading(stack).outputs()
    if as_json:
        print_json(dict(values.values))
    else:
        lifecycle.show_outputs(values)


def _told(question: str) -> bool:
    """Say what will be lost, and go on."""
    say(question)
    return True
