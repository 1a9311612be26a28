"""What the images of phase 4's stores hold."""

from __future__ import annotations

from pathlib import Path

from tests.lab import alpine, cache, debian
from tests.lab.rootfs import RootFs

POSTGRES_FILES = Path(__file__).parent / "postgres"
_POSTGRES_PROGRAMS = f"usr/lib/postgresql/{debian.POSTGRES_MAJOR}/bin"
_POSTGRES_COMMANDS = (
    "createdb",
    "createuser",
    "dropdb",
    "dropuser",
    "initdb",
    "pg_basebackup",
    "pg_ctl",
    "pg_dump",
    "pg_dumpall",
    "pg_isready",
    "pg_restore",
    "postgres",
    "psql",
    "vacuumdb",
)


def mimir(root: RootFs) -> None:
    """No shell: the program."""
    root.program("bin/mimir", cache.binary("mimir"))
    root.directory("tmp", mode=0o1777)
    root.users({"nobody": (65534, 65534), "nonroot": (65532, 65532)})


def tempo(root: RootFs) -> None:
    """No shell: the program and a data folder that belongs to its user."""
    root.program("tempo", cache.binary("tempo"))
    root.directory("var/tempo", uid=10001, gid=10001, mode=0o700)
    root.directory("tmp", mode=0o1777)
    root.users({"tempo": (10001, 10001), "nobody": (65534, 65534)})


def minio(root: RootFs) -> None:
    """The program at its official path, a data folder for anyone, and tools."""
    root.program("usr/bin/minio", cache.binary("minio"))
    root.directory("data", mode=0o1777)
    alpine.tools(root)


def postgres(root: RootFs) -> None:
    """PostgreSQL of Debian under the official image's paths and user, and Alpine's tools."""
    for command in _POSTGRES_COMMANDS:
        root.link(f"usr/local/bin/{command}", f"/{_POSTGRES_PROGRAMS}/{command}")
    for script in ("docker-entrypoint.sh", "docker-ensure-initdb.sh"):
        root.file(f"usr/local/bin/{script}", POSTGRES_FILES / script, mode=0o755)
    root.directory("docker-entrypoint-initdb.d")
    owner = {"uid": 70, "gid": 70}
    root.directory("var/lib/postgresql", **owner, mode=0o1777)
    root.directory("var/lib/postgresql/data", **owner, mode=0o1777)
    root.directory("run/postgresql", **owner, mode=0o3777)
    root.users({"postgres": (70, 70), "nobody": (65534, 65534)}, login="/bin/sh")
    root.merge(debian.POSTGRES.tar)
    alpine.tools(root, "usr/bin")


def aws_cli(root: RootFs) -> None:
    """The AWS CLI of Debian, which is older, at the official image's path."""
    root.link("usr/local/bin/aws", "/usr/bin/aws")
    root.directory("aws", mode=0o755)
    root.merge(debian.AWS_CLI.tar)
