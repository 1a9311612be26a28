"""A Git server, which only drills use: ``python -m tests.lab operators`` builds it, ``prepare`` does not."""

from __future__ import annotations

from pathlib import Path

from tests.lab import debian
from tests.lab.images import LabImage
from tests.lab.rootfs import RootFs

MANIFEST = Path(__file__).parent / "git.yaml"
USER = "git"
BASE = debian.Base(package="openssh-server", extra=("git",))
_FILES = Path(__file__).parent / "image"


def _contents(root: RootFs) -> None:
    root.users(
        {USER: (1000, 1000), "sshd": (100, 65534), "nobody": (65534, 65534)}, login="/usr/bin/git-shell"
    )
    root.file("etc/ssh/sshd_config", _FILES / "sshd_config")
    root.file("usr/local/bin/serve", _FILES / "serve", mode=0o755)
    root.merge(BASE.tar)


IMAGE = LabImage(
    reference="otel-stack-lab/git-server:1",
    holds="OpenSSH and Git of Debian",
    phase=3,
    user="0",
    contents=_contents,
    recipe=lambda: BASE.recipe,
    entrypoint=("/usr/local/bin/serve",),
    files=_FILES,
)
