"""PostgreSQL: Grafana's database, the stack's own with daily dumps in object storage, or an existing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.base import StackComponent, data_volumes, limits
from components.grafana.backup import PostgresBackupArgs, backup_name, backup_workload
from components.grafana.database import Database
from components.images import Image
from components.metrics_target import MetricsTarget
from components.sections.postgres import PostgresSection
from components.sizing import ProgramSize
from components.stores.bucket import StoreBucket
from components.values.documents import text
from components.values.quantities import Duration
from components.workload import Platform, Port, Probe, Workload

NAME = "postgres"

CONFIG_DIRECTORY = "/etc/postgresql"
DATA = "/var/lib/postgresql/data"
PASSWORD = "secrets/password"  # noqa: S105 - a path
PORT = 5432


@dataclass(frozen=True, kw_only=True)
class PostgresStoreArgs:
    """Settings of the database.

    Attributes:
        image: PostgreSQL's image.
        size: its limits and disk.
        dumper: those of the program that dumps it.
        uploader: limits of the program that uploads dumps.
        section: settings from the stack configuration.
        client: image of the S3 client that uploads dumps.
        bucket: where the dumps go.
        metrics: who is told when the last one arrived there.
    """

    image: Image
    size: ProgramSize
    dumper: ProgramSize
    uploader: ProgramSize
    section: PostgresSection
    client: Image
    bucket: StoreBucket
    metrics: MetricsTarget


class PostgresStore(StackComponent):
    """PostgreSQL 17 on a volume, and a program that dumps it daily to another volume and into a bucket.

    Attributes:
        database: how Grafana reaches it.
    """

    def __init__(
        self,
        name: str,
        args: PostgresStoreArgs,
        *,
        platform: Platform,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        """Run the database, with a password of its own unless one is given."""
        super().__init__(name, platform)
        section = args.section
        self.database = Database(
            host=name,
            port=PORT,
            name=section.database,
            username=section.username,
            password=self.secret("password", section.password_secret),
            tls="disable",
        )
        self.deployed = self.start(_server(name, args, self.database))
        backup = PostgresBackupArgs(
            image=args.image,
            client=args.client,
            bucket=args.bucket,
            metrics=args.metrics,
            kept=section.backups_kept,
            dumper=args.dumper,
            uploader=args.uploader,
        )
        self.start(backup_workload(backup_name(name), backup, self.database), [*self.ready, *after])
        self.register_outputs({"host": self.deployed.host})


def _server(name: str, args: PostgresStoreArgs, database: Database) -> Workload:
    ready = ("pg_isready", "-q", "-h", "127.0.0.1", "-U", database.username, "-d", database.name)
    return Workload(
        name=name,
        image=args.image,
        entry_point=["/bin/sh"],
        args=[f"{CONFIG_DIRECTORY}/server.sh", "-c", f"config_file={CONFIG_DIRECTORY}/postgresql.conf"],
        environment={
            "PGDATA": f"{DATA}/pgdata",
            "POSTGRES_DB": database.name,
            "POSTGRES_USER": database.username,
            "POSTGRES_PASSWORD_FILE": f"{CONFIG_DIRECTORY}/{PASSWORD}",
            "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256 --auth-local=scram-sha-256 --data-checksums",
        },
        config_directory=CONFIG_DIRECTORY,
        files={file: text(f"postgres/{file}") for file in ("postgresql.conf", "server.sh")},
        secret_files={PASSWORD: database.password},
        ports=[Port(name="postgres", number=PORT, speaks="bytes")],
        probe=Probe(port=None, command=ready),
        resources=limits(args.size),
        volumes=data_volumes("postgres-data", DATA, args.size),
        writable=("/tmp", "/run/postgresql"),  # noqa: S108 - paths inside the container
        stop_grace=Duration(60),
    )
