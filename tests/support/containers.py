"""Puts files into containers and runs commands there."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from docker.models.containers import Container


def archive(files: Mapping[str, str], *, uid: int = 0, gid: int = 0, mode: int = 0o644) -> bytes:
    """Pack texts, by path, as ``put_archive`` takes them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for path, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.uid, entry.gid, entry.mode = len(content), uid, gid, mode
            made.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def execute(
    container: Container, *command: str, variables: Mapping[str, str] | None = None
) -> tuple[int | None, str]:
    """Run a command; give its exit status and all that it wrote."""
    status, output = container.exec_run(list(command), environment=dict(variables or {}), stream=False)
    written = b"".join([output] if isinstance(output, bytes) else output)
    return status, written.decode(errors="replace")


def run(container: Container, *command: str) -> str:
    """Run a command that succeeds; give what it wrote.

    Raises:
        AssertionError: it failed.
    """
    status, text = execute(container, *command)
    assert status == 0, f"{command[0]} in {container.name}: {text}"
    return text
