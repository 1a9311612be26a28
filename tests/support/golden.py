"""Files that say what the program rendered when somebody last looked at it."""

from __future__ import annotations

from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1] / "unit" / "golden"


def matches_golden(path: Path, text: str, update: bool) -> None:
    """Compare a text with its file, or write the file."""
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, f"{path} differs; look, then pytest --update-golden"
