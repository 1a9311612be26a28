"""Files copied into a container between its creation and its start, as a tar archive laid over ``/``."""

from __future__ import annotations

import base64
import binascii
import grp
import io
import pwd
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab.providers import wire
from tests.lab.providers.errors import ProviderError
from tests.lab.providers.schema import Failure

_CONTENTS = ("content", "contentBase64", "source")


def failures(uploads: Sequence[Mapping[str, Any]]) -> Iterator[Failure]:
    """What the schema cannot say: exactly one kind of content, a mode and a base64 text that can be read.

    An empty ``content`` counts as not given, as in the official plugin: it cannot write empty files.
    """
    for index, upload in enumerate(uploads):
        path = f"uploads[{index}]"
        given = [name for name in _CONTENTS if upload.get(name)]
        if len(given) != 1:
            said = f"has {' and '.join(given)}" if given else "has none that is not empty"
            yield Failure(path=path, reason=f"needs exactly one of {', '.join(_CONTENTS)}; it {said}")
        try:
            _mode(upload)
        except ValueError:
            yield Failure(path=f"{path}.permissions", reason='must be octal digits like "0644"')
        try:
            base64.b64decode(_known(upload, "contentBase64"), validate=True)
        except binascii.Error:
            yield Failure(path=f"{path}.contentBase64", reason="is not base64")


def copy(client: Any, container_id: str, uploads: Sequence[Mapping[str, Any]]) -> None:
    """Copy the files into a container.

    Where an owner is given, the engine is asked to keep it, as the official plugin asks. It then looks the
    container's user up: before version 28 in this machine's own list of users, which has no ``472:0``.
    """
    owned = any(upload.get("owner") or upload.get("group") for upload in uploads)
    parameters = {"path": "/", **({"copyUIDGID": "true"} if owned else {})}
    url = client._url("/containers/{0}/archive", container_id)
    answer = client._put(url, params=parameters, data=archive(uploads))
    client._raise_for_status(answer)


def archive(uploads: Sequence[Mapping[str, Any]]) -> bytes:
    """The archive of all files: owned by root and of mode 0644 unless an upload says otherwise.

    Like the official plugin's, it has no entries for folders: Docker makes missing ones.

    Raises:
        ProviderError: a ``source`` cannot be read, or an owner is unknown on this machine.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for upload in uploads:
            data = _data(upload)
            entry = tarfile.TarInfo(upload["file"].lstrip("/"))
            entry.size, entry.mode = len(data), _mode(upload)
            entry.uid = _number(upload, "owner", lambda name: pwd.getpwnam(name).pw_uid)
            entry.gid = _number(upload, "group", lambda name: grp.getgrnam(name).gr_gid)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _data(upload: Mapping[str, Any]) -> bytes:
    if upload.get("source"):
        try:
            return Path(upload["source"]).read_bytes()
        except OSError as error:
            raise ProviderError(
                f"the upload of {upload['file']} cannot read its source {upload['source']}: {error.strerror}."
            ) from error
    if upload.get("contentBase64"):
        return base64.b64decode(upload["contentBase64"])
    return str(upload["content"]).encode()


def _mode(upload: Mapping[str, Any]) -> int:
    permissions = _known(upload, "permissions")
    if permissions:
        return int(permissions, 8)
    return 0o744 if upload.get("executable") is True else 0o644


def _number(upload: Mapping[str, Any], key: str, look_up: Any) -> int:
    text = upload.get(key, "0")
    if text.isdigit():
        return int(text)
    try:
        return int(look_up(text))
    except KeyError as error:
        raise ProviderError(
            f"the upload of {upload['file']} names the {key} {text!r}, which this machine does not know; "
            f"give a number."
        ) from error


def _known(upload: Mapping[str, Any], key: str) -> str:
    value = upload.get(key, "")
    return "" if value == wire.UNKNOWN else str(value)
