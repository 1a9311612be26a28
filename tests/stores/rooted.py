"""Runs programs of the Debian inside the lab's images as processes, without a container engine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.debian import Base
from tests.stores.making import write
from tests.support.lab import missing

IN_ROOT = (
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount --rbind /dev "$0/dev" && user="$1" && shift && exec chroot --userspec="$user" "$0" "$@"',
)
"""Gives a program another root folder, with this machine's devices for as long as it runs."""


@dataclass(frozen=True, kw_only=True)
class Root:
    """A root folder.

    Attributes:
        folder: where it is on this machine.
    """

    folder: Path

    def put(self, files: Mapping[str, str]) -> None:
        """Write files at the paths at which a program in it reads them."""
        write({path.lstrip("/"): text for path, text in files.items()}, self.folder)

    def command(self, *command: str, user: str = "root:root") -> list[str]:
        """Give the command that runs a command in it."""
        return [*IN_ROOT, str(self.folder), user, *command]


@contextmanager
def root_with(base: Base, folder: Path) -> Iterator[Root]:
    """Lay out a Debian with a package, and delete it afterwards: it is hundreds of megabytes."""
    if not base.is_made:
        missing(f"the lab has no Debian with {base.package}: python -m tests.lab prepare")
    (folder / "dev").mkdir(parents=True)
    try:
        subprocess.run(["tar", "--extract", "--file", base.tar, "--directory", folder], check=True)
        yield Root(folder=folder)
    finally:
        shutil.rmtree(folder)
