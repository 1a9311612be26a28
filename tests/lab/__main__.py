"""``python -m tests.lab``: prepares the closed-network lab, and says where its parts are."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer
from rich.table import Table

from tests.lab import disk, engine, gobuild, images, plan, plugins, store
from tests.lab.errors import LabError
from tests.lab.progress import console, say

LAST_PHASE = 2

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
Phase = Annotated[int, typer.Option(min=1, max=LAST_PHASE, help="Last phase that is needed.")]


@app.command()
def prepare(phase: Phase = LAST_PHASE) -> None:
    """Make everything that is missing: programs, plugins, the Docker Engine, images."""
    with _messages(), store.lock(lambda: say("another run prepares the lab; waiting for it to end")):
        missing = [part for part in plan.parts(phase) if not part.is_there()]
        plan.require_tools(missing)
        disk.require(store.root(), plan.disk_needs(missing))
        for part in missing:
            part.make()
        gobuild.clean()
        plugins.install()
        client = engine.ensure()
        for image in images.missing(client, phase):
            images.build(client, image)
        images.drop_outdated(client)
        say(f"the lab is ready for phase {phase}: {store.root()}")


@app.command()
def env() -> None:
    """Print, as JSON, the environment variables under which the Pulumi CLI runs with the lab."""
    with _messages():
        typer.echo(json.dumps(plugins.environment(os.environ.get("PATH", "")), indent=2))


@app.command()
def status(phase: Phase = LAST_PHASE) -> None:
    """Show what is there and what is missing; exit status 1 when something is."""
    with _messages():
        rows = [(part.name, part.version, part.is_there()) for part in plan.parts(phase)]
        lacking = images.missing(engine.client(), phase)
        rows += [
            (image.reference, image.holds, image not in lacking)
            for image in images.IMAGES
            if image.phase <= phase
        ]
    table = Table()
    for heading in ("part", "what it is", ""):
        table.add_column(heading, overflow="fold")
    for name, version, there in rows:
        table.add_row(name, version, "there" if there else "missing")
    console.print(table)
    if not all(there for *_, there in rows):
        raise typer.Exit(1)


@contextmanager
def _messages() -> Iterator[None]:
    def end(signum: int, _frame: FrameType | None) -> None:
        sys.exit(128 + signum)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    except LabError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        typer.echo("interrupted; run the same command again to resume", err=True)
        raise typer.Exit(130) from error


if __name__ == "__main__":
    app()
