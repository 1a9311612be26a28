"""``python -m tests.lab cluster``: the Kubernetes node as one command."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from tests.lab.cluster import layout, lifecycle, simulation
from tests.lab.cluster import second as second_node
from tests.lab.messages import messages
from tests.lab.progress import console

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def up() -> None:
    """Start whatever of the cluster does not run, and wait until it is ready."""
    with messages(), lifecycle.lock():
        lifecycle.up()
    typer.echo(how_to_use())


@app.command()
def down() -> None:
    """Stop the cluster and remove all it has made except its copies of images."""
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


@app.command()
def second(
    remove: Annotated[bool, typer.Option("--remove", help="Remove it again.")] = False,
) -> None:
    """Run a second node with a kubelet and a network of its own, for pods that tolerate it."""
    with messages(), lifecycle.lock():
        if remove:
            second_node.down()
        else:
            second_node.up(lifecycle.images(phase=3))


@app.command()
def nodes(
    count: Annotated[int, typer.Option(min=0, max=simulation.MOST_NODES, help="0 removes all.")],
    zones: Annotated[int, typer.Option(min=1, help="Zones that they are spread over.")] = 3,
    cpu: Annotated[str, typer.Option(help="Processors of each node.")] = "8",
    memory: Annotated[str, typer.Option(help="Memory of each node.")] = "32Gi",
) -> None:
    """Run this many simulated nodes, for pods that tolerate kwok.x-k8s.io/node."""
    with messages(), lifecycle.lock():
        simulation.apply(count=count, zones=zones, cpu=cpu, memory=memory)


def how_to_use() -> str:
    """Say what leads a stack, and kubectl, to the cluster."""
    return f"""
In a stack's file:
  otel-stack:kubernetes:
    kubeconfig: {layout.kubeconfig()}
    context: {layout.CONTEXT}
For kubectl: export KUBECONFIG={layout.kubeconfig()}"""
