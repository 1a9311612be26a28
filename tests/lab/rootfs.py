"""Writes an image's root file system as one tar: every entry with its owner, mode and a fixed time."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

_EPOCH = 0


class RootFs:
    """A root file system under construction.

    Missing parent folders are made as root's with mode 0755. The first entry at a path wins, so what an image
    needs itself is written before a base is merged in.
    """

    def __init__(self, out: Path) -> None:
        self._tar = tarfile.open(out, "w")  # noqa: SIM115 (closed by close, which __exit__ calls)
        self._seen: set[str] = set()

    def __enter__(self) -> RootFs:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def directory(self, path: str, *, uid: int = 0, gid: int = 0, mode: int = 0o755) -> None:
        """Add a folder; its parents belong to root."""
        self._add(self._entry(path, tarfile.DIRTYPE, uid, gid, mode))

    def text(self, path: str, content: str, *, uid: int = 0, gid: int = 0, mode: int = 0o644) -> None:
        """Add a file with this text."""
        data = content.encode()
        entry = self._entry(path, tarfile.REGTYPE, uid, gid, mode)
        entry.size = len(data)
        self._add(entry, io.BytesIO(data))

    def program(self, path: str, source: Path) -> None:
        """Add an executable, root's with mode 0755."""
        self.file(path, source, mode=0o755)

    def file(self, path: str, source: Path, *, uid: int = 0, gid: int = 0, mode: int = 0o644) -> None:
        """Add a file of this machine."""
        entry = self._entry(path, tarfile.REGTYPE, uid, gid, mode)
        entry.size = source.stat().st_size
        with source.open("rb") as content:
            self._add(entry, content)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        entry = self._entry(path, tarfile.SYMTYPE, 0, 0, 0o777)
        entry.linkname = target
        self._add(entry)

    def users(self, names: Mapping[str, tuple[int, int]], login: str = "/bin/false") -> None:
        """Add /etc/passwd and /etc/group: root and these names, each with its user and group id."""
        everyone = {"root": (0, 0), **names}
        passwd = "".join(f"{name}:x:{uid}:{gid}:{name}:/:{login}\n" for name, (uid, gid) in everyone.items())
        group = "".join(f"{name}:x:{gid}:\n" for name, (uid, gid) in everyone.items() if uid == 0 or gid)
        self.text("/etc/passwd", passwd)
        self.text("/etc/group", group)

    def merge(self, base: Path, without: Collection[str] = ()) -> None:
        """Add every entry of another tar whose path is not taken yet and not in ``without``."""
        with tarfile.open(base) as other:
            for member in other:
                member.name = _plain(member.name)
                if member.name and member.name not in self._seen and member.name not in without:
                    self._seen.add(member.name)
                    self._tar.addfile(member, other.extractfile(member) if member.isreg() else None)

    def _entry(self, path: str, kind: bytes, uid: int, gid: int, mode: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(_plain(path))
        entry.type, entry.uid, entry.gid, entry.mode, entry.mtime = kind, uid, gid, mode, _EPOCH
        return entry

    def _add(self, entry: tarfile.TarInfo, content: io.BufferedIOBase | None = None) -> None:
        for parent in reversed(PurePosixPath(entry.name).parents):
            if str(parent) not in {".", *self._seen}:
                self.directory(str(parent))
        if entry.name not in self._seen:
            self._seen.add(entry.name)
            self._tar.addfile(entry, content)


def _plain(path: str) -> str:
    return str(PurePosixPath("/", path)).lstrip("/")
