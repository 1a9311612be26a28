"""PostgreSQL: Grafana's database, ours with daily dumps, or one that exists."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_random as random

from components.base import StackComponent, limits
from components.documents import text
from components.images import Image
from components.quantities import Duration, gibibytes, mebibytes
from components.sections_phase4 import PostgresSection
from components.sizing import ProgramSize
from components.workload import DataVolume, ExistingSecret, Platform, Port, Probe, SecretText, Workload

CONFIG_DIRECTORY = "/etc/postgresql"
DATA = "/var/lib/postgresql/data"
PASSWORD = "secrets/password"  # noqa: S105 - a path
PORT = 5432
DAY = 86400
DUMPER = ProgramSize(memory=mebibytes(128), cpus=0.25, volume=gibibytes(5))


@dataclass(frozen=True, kw_only=True)
class Database:
    """How a program reaches its database.

    Attributes:
        host: name of the server.
        port: its port.
        name: the database.
        username: its owner.
        password: the owner's password.
        tls: mode of libpq: ``disable``, ``require`` or ``verify-full``.
        authority: who signs the server's certificate; public authorities when nothing is said.
    """

    host: str
    port: int
    name: str
    username: str
    password: SecretText
    tls: str
    authority: ExistingSecret | None = None

    @property
    def address(self) -> str:
        """``host:port`` of the server."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class PostgresStoreArgs:
    """Settings of the database.

    Attributes:
        image: PostgreSQL's image.
        size: its limits and disk.
        section: settings.
    """

    image: Image
    size: ProgramSize
    section: PostgresSection


class PostgresStore(StackComponent):
    """PostgreSQL 17 on a volume, and a program beside it that dumps it every day onto another.

    Attributes:
        database: how Grafana reaches it.
    """

    def __init__(self, name: str, args: PostgresStoreArgs, *, platform: Platform) -> None:
        """Run the database, with a password of its own unless one is given."""
        super().__init__(name, platform)
        section = args.section
        self.database = Database(
            host=name,
            port=PORT,
            name=section.database,
            username=section.username,
            password=self._password(name, section),
            tls="disable",
        )
        self.deployed = self.start(_server(name, args, self.database))
        self.start(_dumper(f"{name}-backup", args, self.database), self.ready)
        self.register_outputs({"host": self.deployed.host})

    def _password(self, name: str, section: PostgresSection) -> SecretText:
        if section.password_secret is not None:
            return ExistingSecret(name=section.password_secret, key="password")
        opts = pulumi.ResourceOptions(parent=self)
        return random.RandomPassword(f"{name}-password", length=32, special=False, opts=opts).result


def external_database(section: PostgresSection) -> Database:
    """Describe a database that exists.

    Raises:
        ValueError: the settings have not been checked; they name no host or no password.
    """
    if section.host is None or section.password_secret is None:
        raise ValueError("postgres.host and postgres.passwordSecret belong to an external database")
    authority = None
    if section.ca_secret is not None:
        authority = ExistingSecret(name=section.ca_secret, key="ca.crt")
    return Database(
        host=section.host,
        port=section.port,
        name=section.database,
        username=section.username,
        password=ExistingSecret(name=section.password_secret, key="password"),
        tls=section.tls,
        authority=authority,
    )


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
        files={name: text(f"postgres/{name}") for name in ("postgresql.conf", "server.sh")},
        secret_files={PASSWORD: database.password},
        ports=[Port(name="postgres", number=PORT, speaks="bytes")],
        probe=Probe(port=None, command=ready),
        resources=limits(args.size),
        volumes=[DataVolume(name="postgres-data", path=DATA, size=args.size.volume)],
        writable=("/tmp", "/run/postgresql"),  # noqa: S108 - paths inside the container
        stop_grace=Duration(60),
    )


def _dumper(name: str, args: PostgresStoreArgs, database: Database) -> Workload:
    directory = "/etc/postgres-backup"
    return Workload(
        name=name,
        image=args.image,
        entry_point=["/bin/sh"],
        args=[f"{directory}/backup.sh"],
        environment={
            "PGHOST": database.host,
            "PGPORT": str(database.port),
            "PGDATABASE": database.name,
            "PGUSER": database.username,
            "PASSWORD_FILE": f"{directory}/{PASSWORD}",
            "BACKUPS_KEPT_DAYS": str(max(1, args.section.backups_kept.seconds // DAY)),
        },
        config_directory=directory,
        files={"backup.sh": text("postgres/backup.sh")},
        secret_files={PASSWORD: database.password},
        calls=[database.address],
        # Ready once a dump has been made; a restart would not make it faster.
        probe=Probe(port=None, command=("test", "-f", "/tmp/last-dump")),  # noqa: S108 - inside the container
        resources=limits(DUMPER),
        volumes=[DataVolume(name="postgres-backups", path="/backups", size=DUMPER.volume)],
    )
