"""Where the lab keeps what it has built: outside the checkout, keyed by version, safe to interrupt.

Layout under the root (``OTEL_STACK_LAB_CACHE``, or ``~/.cache/otel-stack-lab``)::

    bin/<name>-<version>/<name>   one program each, with a ``.done`` marker that names its recipe
    kafka-<version>/libs          Kafka's jars
    path/                         executables to be put on PATH (CLI, language host, plugins)
    base/                         BusyBox and minimal Debians for images
    images/                       one image's files while it is built
    go/, build/                   Go's caches and the modules being built; deleted at the end
    trash/                        what is being deleted
    log/                          one log per step, and dockerd's
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_MARKER = ".done"


def root() -> Path:
    """The cache's folder; ``OTEL_STACK_LAB_CACHE`` relocates it."""
    chosen = os.environ.get("OTEL_STACK_LAB_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "otel-stack-lab"


def folder(name: str) -> Path:
    """A folder of the cache by name, made when it is missing."""
    path = root() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def log_file(step: str) -> Path:
    """The log of a step; a later run of the same step overwrites it."""
    return folder("log") / f"{step}.log"


def is_done(target: Path, recipe: str) -> bool:
    """True when ``target`` was completed by exactly this recipe."""
    marker = target / _MARKER
    return marker.is_file() and marker.read_text() == recipe


def fill(target: Path, recipe: str, make: Callable[[Path], None]) -> None:
    """Let ``make`` fill a new folder and put it in ``target``'s place in one step.

    An interruption at any moment leaves either the old folder, none, or the complete new one.
    """
    partial = target.with_name(f".{target.name}.partial")
    remove(partial)
    partial.mkdir(parents=True)
    make(partial)
    (partial / _MARKER).write_text(recipe)
    remove(target)
    partial.rename(target)


def remove(path: Path) -> None:
    """Delete a folder; Go's module cache is read-only, so its folders are made writable first."""
    if not path.exists():
        return
    for parent, _, _ in os.walk(path):
        Path(parent).chmod(0o755)
    shutil.rmtree(path)


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Tell whether no other run is in the part of the cache of that name, and keep others out of it."""
    with (folder(".") / f".{name}lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def lock(wait_message: Callable[[], None], name: str = "") -> Iterator[None]:
    """Lock the cache for one run; a second run says so through ``wait_message`` and waits.

    ``name`` chooses the lock of a part of the cache.
    """
    with (folder(".") / f".{name}lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait_message()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
