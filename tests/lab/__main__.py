"""``python -m tests.lab``: prepares the closed-network lab and says where its parts are."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer
from rich.table import Table

from tests.lab import (
    argocd,
    disk,
    disposal,
    engine,
    flux,
    git_server,
    gobuild,
    image_table,
    images,
    keda,
    plan,
    plugins,
    prometheus_operator,
    store,
    traefik,
)
from tests.lab.cluster import commands as cluster_commands
from tests.lab.messages import messages
from tests.lab.progress import console, say, say_busy

LAST_PHASE = 4

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
app.add_typer(cluster_commands.app, name="cluster")
Phase = Annotated[int, typer.Option(min=1, max=LAST_PHASE, help="Last phase that is needed.")]


@app.command()
def prepare(phase: Phase = LAST_PHASE) -> None:
    """Make everything that is missing: programs, plugins, the Docker Engine, images."""
    with messages(), store.lock(say_busy):
        _make(plan.parts(phase))
        plugins.install()
        _build(image_table.of_phases(phase))
        disposal.wait()
        say(f"the lab is ready for phase {phase}: {store.root()}")


@app.command()
def operators() -> None:
    """Make what only ``make drills`` needs: KEDA, Traefik, Flux, Argo CD, Prometheus Operator; 30 minutes."""
    drilled = (keda.IMAGES, flux.IMAGES, prometheus_operator.IMAGES)
    with messages(), store.lock(say_busy):
        _make(plan.operators())
        images = [image for program in drilled for image in program.values()]
        _build([*images, *argocd.IMAGES, traefik.IMAGE, git_server.IMAGE])
        disposal.wait()


@app.command()
def env() -> None:
    """Print, as JSON, the environment variables under which the Pulumi CLI runs with the lab."""
    with messages():
        typer.echo(json.dumps(plugins.environment(os.environ.get("PATH", "")), indent=2))


@app.command()
def status(phase: Phase = LAST_PHASE) -> None:
    """Show what is there and what is missing; exit status 1 when something is."""
    with messages():
        rows = [(part.name, part.version, part.is_there()) for part in plan.parts(phase)]
        wanted = image_table.of_phases(phase)
        lacking = images.missing(engine.client(), wanted)
        rows += [(image.reference, image.holds, image not in lacking) for image in wanted]
    table = Table()
    for heading in ("part", "what it is", ""):
        table.add_column(heading, overflow="fold")
    for name, version, there in rows:
        table.add_row(name, version, "there" if there else "missing")
    console.print(table)
    if not all(there for *_, there in rows):
        raise typer.Exit(1)


def _make(parts: Sequence[plan.Part]) -> None:
    missing = [part for part in parts if not part.is_there()]
    plan.require_tools(missing)
    disk.require(store.root(), plan.disk_needs(missing))
    failed = threading.Event()
    with ThreadPoolExecutor() as at_once:
        lanes = [at_once.submit(_one_after_another, lane, failed) for lane in plan.lanes(parts)]
    for lane in lanes:
        lane.result()
    gobuild.clean()


def _one_after_another(parts: Sequence[plan.Part], failed: threading.Event) -> None:
    """Make what is missing, until something fails, here or elsewhere."""
    try:
        for part in parts:
            if not failed.is_set() and not part.is_there():  # checked again: some are made from others
                part.make()
    except BaseException:
        failed.set()
        raise


def _build(wanted: Iterable[images.LabImage]) -> None:
    client = engine.ensure()
    for image in images.missing(client, wanted):
        images.build(client, image)
    images.drop_outdated(client)


if __name__ == "__main__":
    app()
