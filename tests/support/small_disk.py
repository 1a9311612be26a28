"""A volume's data on a file system of a few hundred MiB, which a test can fill; for root only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import own_engine

BALLAST = "ballast"


@dataclass(frozen=True, kw_only=True)
class SmallDisk:
    """A file system that holds a volume's data.

    Attributes:
        engine: a process in the mount namespace of the Docker Engine.
        folder: where it is mounted.
    """

    engine: int
    folder: str

    def fill(self) -> None:
        """Take all the space that is left, to the last byte, at up to 20 MiB/s."""
        ballast = f"{self.folder}/{BALLAST}"
        self.run(
            f"while dd if=/dev/zero bs=1M count=1 status=none >>{ballast}; do sleep 0.05; done 2>/dev/null; "
            f"dd if=/dev/zero bs=1k status=none >>{ballast} 2>/dev/null || true"
        )

    def free(self) -> None:
        """Give the space back."""
        self.run(f"rm -f {self.folder}/{BALLAST}")

    def run(self, script: str) -> str:
        """Run a shell script where the engine sees its files.

        Raises:
            AssertionError: it failed.
        """
        command = ["nsenter", f"--mount=/proc/{self.engine}/ns/mnt", "sh", "-ec", script]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"{script}: {ended.stderr}"
        return ended.stdout


@contextmanager
def small_disk(folder: str, scratch: Path, mebibytes: int) -> Iterator[SmallDisk]:
    """Put a folder's content on a small file system; nothing may be using it when this begins and ends."""
    disk = SmallDisk(engine=_engine(), folder=folder)
    image, other = scratch / "disk.img", scratch / "other"
    other.mkdir()
    disk.run(
        f"truncate -s {mebibytes}M {image}; mkfs.ext4 -q -m 0 {image}; mount -o loop {image} {other}; "
        f"cp -a {folder}/. {other}; umount {other}; mount -o loop {image} {folder}"
    )
    try:
        yield disk
    finally:
        disk.run(
            f"umount {folder}; find {folder} -mindepth 1 -delete; mount -o loop {image} {other}; "
            f"cp -a {other}/. {folder}; umount {other}; rm {image}"
        )


def _engine() -> int:
    """Find a process in the engine's mount namespace: one of the tests' own engine, or this one."""
    pid = own_engine.RUN / "dockerd.pid"
    return int(pid.read_text()) if pid.is_file() else os.getpid()
