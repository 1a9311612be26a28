"""The project's documents, for tests that compare them with the program."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"
FOLDERS = ("components", "docs", "ops", "tests")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for name in FOLDERS for path in (ROOT / name).rglob("*.md"))])

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")


def text(path: Path) -> str:
    """Give a whole document."""
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    """Give a document without its blocks of code."""
    return FENCE.sub("", text(path))


def table(path: Path, header: str) -> list[list[str]]:
    """Give the cells of the table that begins with a header line."""
    lines = text(path).split(f"{header}\n", maxsplit=1)[1].splitlines()[1:]
    end = next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:end]]


def name_of(path: Path) -> str:
    """Give a document's path in the repository."""
    return str(path.relative_to(ROOT))
