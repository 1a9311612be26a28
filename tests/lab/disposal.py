"""Deletes folders in the background: Go's caches are hundreds of thousands of files, minutes of waiting."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

from tests.lab import store
from tests.lab.progress import step

_worker = ThreadPoolExecutor(max_workers=1)
_running: list[Future[None]] = []


def start(*paths: Path) -> None:
    """Move folders out of the way at once; begin to delete them and what an interrupted run left behind."""
    trash = store.root() / "trash"
    names = (trash / str(number) for number in count())
    for path in filter(Path.exists, paths):
        trash.mkdir(exist_ok=True)
        path.rename(next(name for name in names if not name.exists()))
    if trash.exists():
        _running.append(_worker.submit(_delete, trash))


def wait() -> None:
    """Return when the deletions begun so far have ended.

    Raises:
        OSError: when one of them failed.
    """
    while _running:
        _running.pop().result()


def _delete(trash: Path) -> None:
    """Delete what is there, unless another run is at it; what comes meanwhile is left to the next one."""
    with store.alone("trash") as alone:
        if not alone or not trash.exists():
            return
        with step(f"delete what {trash} holds, beside other work"):
            for folder in trash.iterdir():
                store.remove(folder)
            with suppress(OSError):  # the next folder may already be there
                trash.rmdir()
