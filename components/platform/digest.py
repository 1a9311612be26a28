"""Configuration by its plain text: other text is another value, which a preview shows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def digest(files: Mapping[str, str], digits: int) -> str:
    """Hash texts by path, to so many hexadecimal digits."""
    found = hashlib.sha256()
    for path, content in sorted(files.items()):
        found.update(f"{path}\0{content}\0".encode())
    return found.hexdigest()[:digits]
