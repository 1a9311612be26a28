"""Identifies configuration by its plain text: changed text is a changed value, which a preview shows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def digest(files: Mapping[str, str], digits: int, *more: str) -> str:
    """Hash texts by path, and any more texts, to ``digits`` hexadecimal digits."""
    found = hashlib.sha256()
    for path, content in sorted(files.items()):
        found.update(f"{path}\0{content}\0".encode())
    for content in more:
        found.update(f"{content}\0".encode())
    return found.hexdigest()[:digits]
