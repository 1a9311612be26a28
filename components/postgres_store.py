"""PostgreSQL: Grafana's database, ours with daily dumps in object storage, or one that exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_random as random

from components.base import StackComponent, limits
from components.documents import text
from components.images import Image
from components.quantities import Duration, gibibytes, mebibytes
from components.sections_phase4 import PostgresSection
from components.sizing import ProgramSize
from components.store_bucket import StoreBucket
from components.workload import (
    Companion,
    DataVolume,
    ExistingSecret,
    Platform,
    Port,
    Probe,
    SecretText,
    Workload,
)

CONFIG_DIRECTORY = "/etc/postgresql"
DATA = "/var/lib/postgresql/data"
PASSWORD = "secrets/password"  # noqa: S105 - a path
PORT = 5432
DAY = 86400
DUMPER = ProgramSize(memory=mebibytes(128), cpus=0.25, volume=gibibytes(5))
UPLOADER = ProgramSize(memory=mebibytes(256), cpus=0.5)
BACKUP_DIRECTORY, CLIENT_CONFIG = "/etc/postgres-backup", "aws-config"
DUMPED, UPLOADED = "/tmp/last-dump", "/tmp/last-upload"  # noqa: S108 - inside the containers


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
class Uploads:
    """Where dumps go besides their volume.

    Attributes:
        image: image of the S3 client.
        bucket: the bucket.
    """

    image: Image
    bucket: StoreBucket


@dataclass(frozen=True, kw_only=True)
class PostgresStoreArgs:
    """Settings of the database.

    Attributes:
        image: PostgreSQL's image.
        size: its limits and disk.
        section: settings.
        uploads: where dumps go besides their volume.
    """

    image: Image
    size: ProgramSize
    section: PostgresSection
    uploads: Uploads


class PostgresStore(StackComponent):
    """PostgreSQL 17 on a volume, and a program that dumps it every day onto another and into a bucket.

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
            password=self._password(name, section),
            tls="disable",
        )
        self.deployed = self.start(_server(name, args, self.database))
        self.start(_dumper(backup_name(name), args, self.database), [*self.ready, *after])
        self.register_outputs({"host": self.deployed.host})

    def _password(self, name: str, section: PostgresSection) -> SecretText:
        if section.password_secret is not None:
            return ExistingSecret(name=section.password_secret, key="password")
        opts = pulumi.ResourceOptions(parent=self)
        return random.RandomPassword(f"{name}-password", length=32, special=False, opts=opts).result


def backup_name(name: str) -> str:
    """Name the program that dumps the database of a name, and its account."""
    return f"{name}-backup"


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
    bucket = args.uploads.bucket
    return Workload(
        name=name,
        image=args.image,
        entry_point=["/bin/sh"],
        args=[f"{BACKUP_DIRECTORY}/backup.sh"],
        environment={
            "PGHOST": database.host,
            "PGPORT": str(database.port),
            "PGDATABASE": database.name,
            "PGUSER": database.username,
            "PASSWORD_FILE": f"{BACKUP_DIRECTORY}/{PASSWORD}",
            "BACKUPS_KEPT_DAYS": str(max(1, args.section.backups_kept.seconds // DAY)),
        },
        config_directory=BACKUP_DIRECTORY,
        files={
            **{name: text(f"postgres/{name}") for name in ("backup.sh", "upload.sh")},
            CLIENT_CONFIG: _client_config(bucket),
        },
        secret_files={PASSWORD: database.password, **bucket.secret_files},
        calls=[database.address, *bucket.calls],
        account=bucket.account,
        # Ready once a dump has been made; a restart would not make it faster.
        probe=Probe(port=None, command=("test", "-f", DUMPED)),
        resources=limits(DUMPER),
        volumes=[DataVolume(name="postgres-backups", path="/backups", size=DUMPER.volume)],
        companions=[_uploader(args.uploads)],
    )


def _client_config(bucket: StoreBucket) -> str:
    """Give what the S3 client reads from a file only."""
    style = "path" if bucket.bucket.path_style else "auto"
    return f"[default]\ns3 =\n  addressing_style = {style}\n"


def _uploader(uploads: Uploads) -> Companion:
    """Describe what brings new dumps into the bucket."""
    bucket = uploads.bucket
    environment = {
        **bucket.environment(BACKUP_DIRECTORY),
        "AWS_CONFIG_FILE": f"{BACKUP_DIRECTORY}/{CLIENT_CONFIG}",
        "AWS_REGION": bucket.bucket.region,
        # Else the client sends checksums that many S3 services but Amazon's do not know.
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        "BUCKET": bucket.name,
        "ENDPOINT": f"{'https' if bucket.bucket.tls else 'http'}://{bucket.bucket.endpoint}",
        "HOME": "/tmp",  # noqa: S108 - inside the container
    }
    authority = bucket.authority(BACKUP_DIRECTORY)
    return Companion(
        name="upload",
        image=uploads.image,
        entry_point=["/bin/sh"],
        args=[f"{BACKUP_DIRECTORY}/upload.sh"],
        environment={**environment, **({"AWS_CA_BUNDLE": authority} if authority else {})},
        probe=Probe(port=None, command=("test", "-f", UPLOADED)),
        resources=limits(UPLOADER),
    )
