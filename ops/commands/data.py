"""Commands about a stack's data."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from ops.backup.create import Source, make_backup
from ops.backup.restore import restore_backup
from ops.backup.retention import prune
from ops.commands.options import StackName
from ops.docker.engine import engine_failures
from ops.docker.images import images_by_program
from ops.errors import OpsError
from ops.project import ROOT, load_stack
from ops.screen import out, say
from ops.session import Session, reading
from ops.sites import site_of

ENGINE_LOG = "docker info; journalctl -u docker"

BackupFolder = Annotated[
    Path, typer.Option("--to", envvar="BACKUP_DIR", help="Folder that holds the backups.", file_okay=False)
]


def backup(
    stack: StackName = "dev",
    to: BackupFolder = ROOT / "backups",
    keep_days: Annotated[
        int,
        typer.Option(envvar="RETENTION_DAYS", min=0, max=36500, help="Delete older backups; 0 keeps all."),
    ] = 7,
    hot: Annotated[bool, typer.Option("--hot", help="Do not pause the programs; data may be torn.")] = False,
) -> None:
    """Back up the data volumes, the encrypted state and the configuration; then delete old backups."""
    session = reading(stack)
    now = datetime.now(timezone.utc)
    with engine_failures(ENGINE_LOG):
        made = make_backup(_source(session), session.site.volumes(), to, now, hot=hot)
    say(f"backup: {made}")
    pruned = prune(to, stack, keep_days, now)
    for path in pruned.deleted:
        say(f"older than {keep_days} days, deleted: {path}")
    out.print(str(made), markup=False)
    if pruned.problems:
        raise OpsError(
            f"the backup {made} is complete, but what is older than {keep_days} days could not be deleted: "
            + "; ".join(pruned.problems),
            "delete it by hand, or make its folders writable for the user who makes the backups",
        )


def restore(
    source: Annotated[Path, typer.Argument(help="Folder of the backup.", exists=True, file_okay=False)],
    stack: StackName = "dev",
    volume: Annotated[
        list[str] | None, typer.Option("--volume", help="Only this volume; can be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace volumes that hold data.")] = False,
) -> None:
    """Put a backup's data volumes back; the stack must be down."""
    with engine_failures(ENGINE_LOG):
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
