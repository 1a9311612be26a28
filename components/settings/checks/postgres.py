"""What must hold between the settings of Grafana's database."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic.alias_generators import to_camel

from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.sections.postgres import PostgresSection
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem
from components.values.quantities import days

DUMP_LAG = days(2)
"""How much later than its age says a dump leaves the volume: ages count in whole days, and are checked once a
day."""


def _database_is_whole(settings: SettingsModel) -> Iterator[Problem]:
    postgres = settings.postgres
    if postgres.mode == "builtin":
        unset = PostgresSection()
        for name in ("host", "port", "tls", "ca_secret"):
            value = getattr(postgres, name)
            if value != getattr(unset, name):
                yield Problem(
                    key=f"postgres.{to_camel(name)}",
                    value=value,
                    message="only for postgres.mode: external, has no effect on the builtin one; set that "
                    "mode, or remove this",
                )
        return
    needed = {
        "host": (postgres.host, "the server's name, such as db.example.com"),
        "passwordSecret": (
            postgres.password_secret,
            "the name of a Secret in the stack's namespace with the key password, such as grafana-database",
        ),
    }
    for key, (value, what) in needed.items():
        if value is None:
            yield Problem(key=f"postgres.{key}", value=None, message=f"postgres.mode: external needs {what}")


def _expired_dumps_stay_away(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse dumps that outlive those in S3: the folder is uploaded as it is, and would restore them."""
    if settings.phase < ON_OBJECT_STORAGE or settings.object_storage.provider != "aws":
        return
    kept, most = settings.postgres.backups_kept, settings.object_storage.aws.backups_kept
    if settings.postgres.mode == "builtin" and kept.seconds + DUMP_LAG.seconds > most.seconds:
        yield Problem(
            key="postgres.backupsKept",
            value=str(kept),
            message=f"S3 deletes dumps at objectStorage.aws.backupsKept, {most}, and the next upload would "
            "bring them back; keep them at least 2 days less than that",
        )


POSTGRES_CHECKS: tuple[Check, ...] = (
    Check(reads=("postgres",), run=_database_is_whole),
    Check(reads=("phase", "objectStorage", "postgres"), run=_expired_dumps_stay_away),
)
