"""Commands about a stack's data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import requests
import typer
from docker.errors import DockerException

from ops.backup.create import Source, make_backup
from ops.backup.restore import restore_backup
from ops.backup.retention import prune
from ops.commands.options import StackName
from ops.errors import OpsError
from ops.images import images_by_program
from ops.project import ROOT, load_stack
from ops.screen import out, say
from ops.session import Session, reading
from ops.sites import site_of

BackupFolder = Annotated[
    Path, typer.Option("--to", envvar="BACKUP_DIR", help="Folder that holds the backups.", file_okay=False)
]


def backup(
    stack: StackName = "dev",
    to: BackupFolder = ROOT / "backups",
    keep_days: Annotated[
        int, typer.Option(envvar="RETENTION_DAYS", min=0, help="Delete older backups; 0 keeps all.")
    ] = 7,
    hot: Annotated[bool, typer.Option("--hot", help="Do not pause the programs; data may be torn.")] = False,
) -> None:
    """Back up the data volumes, the encrypted state and the configuration; then delete old backups."""
    session = reading(stack)
    now = datetime.now(timezone.utc)
    with _docker_failures():
        made = make_backup(_source(session), session.site.volumes(), to, now, hot=hot)
    say(f"backup: {made}")
    for path in prune(to, stack, keep_days, now):
        say(f"older than {keep_days} days, deleted: {path}")
    out.print(str(made), markup=False)


def restore(
    source: Annotated[Path, typer.Argument(help="Folder of the backup.", exists=True, file_okay=False)],
    stack: StackName = "dev",
    volume: Annotated[
        list[str] | None, typer.Option("--volume", help="Only this volume; can be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace volumes that hold data.")] = False,
) -> None:
    """Put a backup's data volumes back; the stack must be down."""
    with _docker_failures():
        volumes = site_of(load_stack(stack)).volumes()
        manifest = restore_backup(source, volumes, volume or [], force=force)
    say(f"The data of {manifest.stack}, {manifest.created:%Y-%m-%d %H:%M} UTC, is back.")
    say(f"Next: make up STACK={stack}")
    say("Grafana's data comes with the admin password of its own stack; docs/operations.md: restore.")


def _source(session: Session) -> Source:
    stack = session.stack
    return Source(
        stack=stack.name,
        images=images_by_program(stack.settings),
        volumes=session.inventory().data_volumes,
        state=session.pulumi.answer("stack", "export").encode(),
        configuration={
            "Pulumi.yaml": stack.project_file,
            stack.file.name: session.state.config_file or stack.file,
            "configs": stack.root / "configs",
        },
    )


@contextmanager
def _docker_failures() -> Iterator[None]:
    try:
        yield
    except (DockerException, requests.exceptions.RequestException) as error:
        raise OpsError(f"Docker failed: {error}", "docker info; journalctl -u docker") from error
