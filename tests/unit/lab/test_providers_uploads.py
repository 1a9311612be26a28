from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.lab.providers import wire
from tests.lab.providers.docker import uploads
from tests.lab.providers.errors import ProviderError


def _entries(*entries: dict[str, Any]) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(uploads.archive(entries))) as tar:
        found = {}
        for member in tar:
            file = tar.extractfile(member)
            assert file is not None
            found[member.name] = (member, file.read())
    return found


def test_files_are_roots_and_readable_by_all() -> None:
    entry, data = _entries({"file": "/etc/app/a.yaml", "content": "a: ü\n"})["etc/app/a.yaml"]
    assert data == "a: ü\n".encode()
    assert (entry.mode, entry.uid, entry.gid, entry.mtime) == (0o644, 0, 0, 0)


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({"executable": True}, 0o744),
        ({"permissions": "0400"}, 0o400),
        ({"permissions": "755", "executable": True}, 0o755),
    ],
)
def test_modes(given: dict[str, Any], mode: int) -> None:
    assert _entries({"file": "/a", "content": "x", **given})["a"][0].mode == mode


def test_owners_are_numbers_or_names_of_this_machine() -> None:
    entry, _ = _entries({"file": "/a", "content": "x", "owner": "10001", "group": "root"})["a"]
    assert (entry.uid, entry.gid) == (10001, 0)
    with pytest.raises(ProviderError, match=r"/a names the owner 'no-such-user'.*give a number"):
        uploads.archive([{"file": "/a", "content": "x", "owner": "no-such-user"}])


def test_kinds_of_content(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"\x00\x01")
    found = _entries(
        {"file": "/a", "contentBase64": "AAE="}, {"file": "/b", "source": str(tmp_path / "source")}
    )
    assert [data for _, data in found.values()] == [b"\x00\x01", b"\x00\x01"]
    with pytest.raises(ProviderError, match="cannot read its source /nowhere: No such file"):
        uploads.archive([{"file": "/a", "source": "/nowhere"}])


@pytest.mark.parametrize(
    ("upload", "path", "reason"),
    [
        ({"file": "/a"}, "uploads[0]", "it has none"),
        ({"file": "/a", "content": ""}, "uploads[0]", "it has none that is not empty"),
        ({"file": "/a", "content": "x", "source": "y"}, "uploads[0]", "it has content and source"),
        ({"file": "/a", "contentBase64": "*"}, "uploads[0].contentBase64", "is not base64"),
        ({"file": "/a", "content": "x", "permissions": "rw"}, "uploads[0].permissions", "octal digits"),
    ],
)
def test_what_is_refused(upload: dict[str, Any], path: str, reason: str) -> None:
    (failure,) = uploads.failures([upload])
    assert failure.path == path
    assert reason in failure.reason


def test_unknown_content_is_content() -> None:
    assert not list(uploads.failures([{"file": "/a", "content": wire.UNKNOWN}]))
    assert not list(uploads.failures([{"file": "/a", "contentBase64": wire.UNKNOWN}]))
