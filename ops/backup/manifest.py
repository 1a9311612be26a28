"""What a backup says about itself."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from ops.errors import OpsError

FILE_NAME = "manifest.json"
MAKER = "otel-stack backup"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One file of a backup.

    Attributes:
        file: its name in the backup's folder.
        bytes: its size.
        sha256: digest of its content.
        entries: files and folders packed in it.
        unpacked_bytes: size of the files packed in it.
    """

    file: str
    bytes: int
    sha256: str
    entries: int
    unpacked_bytes: int


@checked_dataclass(frozen=True, kw_only=True)
class Manifest:
    """A backup.

    Attributes:
        made_by: marks a folder as made by this project, so that retention may delete it.
        format: of this file.
        stack: name of the stack.
        created: when it was started, with its time zone.
        images: image of every program whose data is here.
        volumes: data by volume.
        files: state and configuration by what they are.
    """

    made_by: str
    format: int
    stack: str
    created: datetime
    images: Mapping[str, str]
    volumes: Mapping[str, Archive]
    files: Mapping[str, Archive]

    def save(self, folder: Path) -> None:
        """Write the manifest into a backup's folder, and to the disk: without it there is no backup."""
        text = json.dumps(asdict(self), indent=2, default=lambda moment: moment.isoformat())
        with (folder / FILE_NAME).open("w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())


_ADAPTER: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def load_manifest(folder: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        OpsError: the folder is not a backup of this project, or has another format.
    """
    path = folder / FILE_NAME
    try:
        manifest = _ADAPTER.validate_json(path.read_text())
    except OSError as error:
        raise OpsError(f"{folder} is not a backup: {path}: {error.strerror}", status=2) from error
    except (ValidationError, ValueError) as error:
        raise OpsError(
            f"{path} is damaged, or not from this project", "choose another backup", status=2
        ) from error
    if manifest.made_by != MAKER or manifest.format != FORMAT:
        raise OpsError(
            f"{path}: made by {manifest.made_by}, format {manifest.format}; known: {MAKER}, format {FORMAT}",
            "use the version of the project that made it",
            status=2,
        )
    return manifest
