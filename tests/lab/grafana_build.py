"""Compiles the stand-in for Grafana, a Go module of this folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.lab import gobuild, store
from tests.lab.programs import GRAFANA_VERSION, program_folder
from tests.lab.progress import step

SOURCE = Path(__file__).parent / "grafana"


def recipe() -> str:
    """A digest of the module's source; tests are left out."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*")):
        if path.is_file() and not path.name.endswith("_test.go"):
            digest.update(f"{path.relative_to(SOURCE)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def target() -> Path:
    """The folder of the built stand-in."""
    return program_folder("grafana", GRAFANA_VERSION)


def is_built() -> bool:
    """True when the stand-in of this source is in the cache."""
    return store.is_done(target(), recipe())


def build() -> None:
    """Compile the stand-in.

    Raises:
        LabError: when Go fails.
    """
    log = store.log_file("grafana")
    log.write_text("")
    with step(f"build the stand-in for Grafana {GRAFANA_VERSION}", gobuild.disk_left):
        store.fill(
            target(),
            recipe(),
            lambda out: gobuild.compile_packages(["."], out / "grafana", log, cwd=SOURCE, mod="readonly"),
        )
