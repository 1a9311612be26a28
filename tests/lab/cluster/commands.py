"""``python -m tests.lab cluster``: the Kubernetes node as one command."""

from __future__ import annotations

import typer
from rich.table import Table

from tests.lab.cluster import lifecycle
from tests.lab.messages import messages
from tests.lab.progress import console

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def up() -> None:
    """Start the cluster, or what of it does not run, and wait until it is ready."""
    with messages(), lifecycle.lock():
        lifecycle.up()


@app.command()
def down() -> None:
    """End the cluster and remove all it has made but its copies of images."""
    with messages(), lifecycle.lock():
        lifecycle.down()


@app.command()
def status() -> None:
    """Show its processes; exit status 1 when it is not up."""
    with messages():
        table = Table()
        for heading in ("process", "id"):
            table.add_column(heading)
        for row in lifecycle.status():
            table.add_row(*row)
        console.print(table)
        if not lifecycle.is_up():
            raise typer.Exit(1)
