"""The script that starts Grafana's database, run with programs that play those of the image."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from components.values.documents import CONFIGS

SERVER = "postgres -c config_file=/etc/postgresql/postgresql.conf"
PLAYED = """#!/bin/sh
echo "${{0##*/}} $*" >> {folder}/done
case $0 in
*/postgres) cat > {folder}/sql ;;
*/docker-ensure-initdb.sh)
    cat "$POSTGRES_PASSWORD_FILE" > {folder}/password
    mkdir "$PGDATA"
    if [ -e {folder}/is-killed ]; then exit 137; fi
    echo 17 > "$PGDATA/PG_VERSION"
    ;;
*/docker-entrypoint.sh) env > {folder}/environment ;;
esac
"""


class Machine:
    """A folder with the image's programs, a password and data, or none yet."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "pgdata"
        self.data.mkdir()
        (folder / "secret").write_text("it's one")
        (folder / "bin").mkdir()
        for name in ("postgres", "docker-entrypoint.sh", "docker-ensure-initdb.sh"):
            program = folder / "bin" / name
            program.write_text(PLAYED.format(folder=folder))
            program.chmod(0o755)

    def start(self) -> list[str]:
        """Run the script; give what it ran."""
        environment = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "PGDATA": str(self.data),
            "POSTGRES_USER": "grafana",
            "POSTGRES_PASSWORD_FILE": str(self.folder / "secret"),
        }
        script = ["/bin/sh", str(CONFIGS / "postgres" / "server.sh"), *SERVER.split()[1:]]
        subprocess.run(script, env=environment, check=True, timeout=30)
        return self.read("done").splitlines()

    def read(self, file: str) -> str:
        return (self.folder / file).read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_new_database_is_prepared_before_the_server_runs(machine: Machine) -> None:
    assert machine.start() == [f"docker-ensure-initdb.sh {SERVER}", f"docker-entrypoint.sh {SERVER}"]
    assert machine.read("password") == "it's one"
    assert (machine.data / "PG_VERSION").exists()
    assert not list(machine.folder.glob("pgdata.*"))


def test_a_preparation_that_was_cut_short_is_made_anew(machine: Machine) -> None:
    """Else half a database would count as one, for ever."""
    (machine.folder / "is-killed").touch()
    with pytest.raises(subprocess.CalledProcessError):
        machine.start()
    assert not (machine.data / "PG_VERSION").exists()
    (machine.folder / "is-killed").unlink()
    assert machine.start()[-1] == f"docker-entrypoint.sh {SERVER}"
    assert (machine.data / "PG_VERSION").exists()


def test_data_that_is_there_gets_the_password_of_now(machine: Machine) -> None:
    (machine.data / "PG_VERSION").write_text("17\n")
    first, last = machine.start()
    assert first.startswith("postgres --single -c config_file=")
    assert last == f"docker-entrypoint.sh {SERVER}"
    assert machine.read("sql") == "ALTER ROLE \"grafana\" PASSWORD 'it''s one'\n"


@pytest.mark.parametrize("starts", [1, 2])
def test_the_server_has_no_password_in_its_environment(machine: Machine, starts: int) -> None:
    """The image's script exports what is in the file of POSTGRES_PASSWORD_FILE to the server."""
    for _ in range(starts):
        machine.start()
    environment = machine.read("environment")
    assert "POSTGRES_USER=grafana" in environment
    assert "POSTGRES_PASSWORD" not in environment
    assert "it's one" not in environment
