"""Dumps of Grafana's database: every day, onto a volume and from there into a bucket."""

from __future__ import annotations

from dataclasses import dataclass

from components.base import data_volumes, limits
from components.grafana.database import Database
from components.images import Image
from components.metrics_target import MetricsTarget
from components.sizing import ProgramSize
from components.stores.bucket import StoreBucket
from components.values.documents import text
from components.values.quantities import Duration
from components.workload import Companion, Probe, Workload

DIRECTORY, CLIENT_CONFIG = "/etc/postgres-backup", "aws-config"
PASSWORD = "secrets/password"  # noqa: S105 - a path
DUMPED, UPLOADED = "/tmp/last-dump", "/tmp/last-upload"  # noqa: S108 - inside the containers
STALE = Duration(26 * 3600)
"""Age of the last dump or upload at which one is missing: they come once a day."""


@dataclass(frozen=True, kw_only=True)
class PostgresBackupArgs:
    """Settings of the dumps.

    Attributes:
        image: PostgreSQL's image.
        client: image of the S3 client.
        bucket: where they go.
        metrics: who is told when the last one arrived there.
        kept: age at which a dump on the volume is deleted.
        dumper: limits of the program that makes them, and disk budget of their volume.
        uploader: limits of the one that copies them into the bucket.
    """

    image: Image
    client: Image
    bucket: StoreBucket
    metrics: MetricsTarget
    kept: Duration
    dumper: ProgramSize
    uploader: ProgramSize


def backup_name(name: str) -> str:
    """Name the program that dumps a database, and its account, after the database."""
    return f"{name}-backup"


def backup_workload(name: str, args: PostgresBackupArgs, database: Database) -> Workload:
    """Describe the program that dumps a database, and the one beside it that uploads the dumps."""
    bucket = args.bucket
    return Workload(
        name=name,
        image=args.image,
        entry_point=["/bin/sh"],
        args=[f"{DIRECTORY}/backup.sh"],
        environment={
            "PGHOST": database.host,
            "PGPORT": str(database.port),
            "PGDATABASE": database.name,
            "PGUSER": database.username,
            "PASSWORD_FILE": f"{DIRECTORY}/{PASSWORD}",
            "BACKUPS_KEPT_DAYS": str(max(1, args.kept.days)),
            **args.metrics.environment,
        },
        config_directory=DIRECTORY,
        files={
            **{file: text(f"postgres/{file}") for file in ("backup.sh", "report.sh", "upload.sh")},
            **args.metrics.files,
            CLIENT_CONFIG: _client_config(bucket),
        },
        secret_files={PASSWORD: database.password, **bucket.secret_files},
        calls=[database.address, args.metrics.callee, *bucket.calls],
        account=bucket.account,
        probe=_recent(DUMPED),
        resources=limits(args.dumper),
        volumes=data_volumes("postgres-backups", "/backups", args.dumper),
        companions=[_uploader(args)],
    )


def _recent(path: str) -> Probe:
    """Check that a file was touched within the last day; a restart would not make an old one newer.

    With ``stat``, as the client's image has no ``find``.
    """
    age = f"$(($(date +%s) - $(stat -c %Y {path})))"
    recent = f"test -f {path} && test {age} -lt {STALE.seconds}"
    return Probe(port=None, command=("/bin/sh", "-c", recent), alive_command=("test", "-f", path))


def _client_config(bucket: StoreBucket) -> str:
    """Return what the S3 client reads only from a file.

    Not ``auto``: that is ``path`` for every client that is told its endpoint.
    """
    style = "path" if bucket.bucket.path_style else "virtual"
    return f"[default]\ns3 =\n  addressing_style = {style}\n"


def _uploader(args: PostgresBackupArgs) -> Companion:
    """Describe the program that copies new dumps into the bucket."""
    bucket = args.bucket
    environment = {
        **bucket.environment(DIRECTORY),
        "AWS_CONFIG_FILE": f"{DIRECTORY}/{CLIENT_CONFIG}",
        "AWS_REGION": bucket.bucket.region,
        # Otherwise the client sends checksums that many S3 services other than Amazon's do not know.
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        "BUCKET": bucket.name,
        "ENDPOINT": f"{'https' if bucket.bucket.tls else 'http'}://{bucket.bucket.endpoint}",
        "HOME": "/tmp",  # noqa: S108 - inside the container
    }
    authority = bucket.authority(DIRECTORY)
    return Companion(
        name="upload",
        image=args.client,
        entry_point=["/bin/sh"],
        args=[f"{DIRECTORY}/upload.sh"],
        environment={**environment, **({"AWS_CA_BUNDLE": authority} if authority else {})},
        probe=_recent(UPLOADED),
        resources=limits(args.uploader),
    )
