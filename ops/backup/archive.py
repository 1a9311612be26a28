"""Archives on disk: packed and checked in one pass, so that a truncated one is never taken for complete."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ops.backup.manifest import Archive
from ops.errors import OpsError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 1024 * 1024
COMPRESSION = 1
"""gzip's fastest level: programs are paused while their data is packed."""

_END_OF_ARCHIVE = bytes(1024)


class _Hashing:
    """A file that is hashed while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


class ChunkReader(io.RawIOBase):
    """A stream of chunks as a file to read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """Read these chunks."""
        super().__init__()
        self._chunks = iter(chunks)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """It can only be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer from the current chunk, or the next."""
        if not self._left:
            self._left = memoryview(self._take())
        target = memoryview(buffer)
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def _take(self) -> bytes:
        return next((chunk for chunk in self._chunks if chunk), b"")


class _Tee(ChunkReader):
    """A stream of chunks that is copied to a file while it is read."""

    def __init__(self, chunks: Iterable[bytes], copy: gzip.GzipFile) -> None:
        super().__init__(chunks)
        self._copy = copy
        self.tail = b""

    def _take(self) -> bytes:
        chunk = super()._take()
        self._copy.write(chunk)
        self.tail = (self.tail + chunk)[-len(_END_OF_ARCHIVE) :]
        return chunk


def pack(chunks: Iterable[bytes], path: Path) -> Archive:
    """Compress a tar stream into a file, reading it at the same time to see that it is complete.

    Raises:
        OpsError: the stream is not a complete tar archive.
        OSError: the file cannot be written.
    """
    with path.open("xb") as file:
        path.chmod(0o600)
        hashing = _Hashing(file)
        with gzip.GzipFile(
            filename="",
            mode="wb",
            compresslevel=COMPRESSION,
            fileobj=hashing,
            mtime=0,
        ) as packed:
            entries, content = _read_through(_Tee(chunks, packed), path.name)
        file.flush()
        os.fsync(file.fileno())
    return Archive(
        file=path.name,
        bytes=hashing.size,
        sha256=hashing.digest.hexdigest(),
        entries=entries,
        unpacked_bytes=content,
    )


def unpacked(path: Path) -> Iterator[bytes]:
    """Give the tar stream inside an archive, in chunks."""
    with gzip.open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def check(folder: Path, archive: Archive) -> None:
    """Compare an archive with what its manifest says.

    Raises:
        OpsError: it is missing or has changed.
    """
    path = folder / archive.file
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise OpsError(f"{path}: {error.strerror}", "the backup is incomplete: choose another") from error
    if digest.hexdigest() != archive.sha256:
        raise OpsError(
            f"{path} is damaged: its sha256 is {digest.hexdigest()}, its manifest says {archive.sha256}",
            "choose another backup",
        )


def _read_through(stream: _Tee, name: str) -> tuple[int, int]:
    entries = size = 0
    try:
        with tarfile.open(mode="r|", fileobj=stream, bufsize=CHUNK) as archive:
            for member in archive:
                entries += 1
                size += member.size
    except tarfile.TarError as error:
        raise OpsError(f"{name}: Docker's archive of the volume broke off: {error}", "try again") from error
    while stream.read(CHUNK):
        pass
    if stream.tail != _END_OF_ARCHIVE:
        raise OpsError(
            f"{name}: Docker's archive of the volume broke off", "docker's own log says why; try again"
        )
    return entries, size
