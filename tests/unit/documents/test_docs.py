"""What the documents name is there: links, paths, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops.cli import app
from tests.support.documents import DOCUMENTS, FENCE, LINK, README, ROOT, SPAN, name_of, prose, table, text

TOP = ("components/", "configs/", "docs/", "ops/", "tests/", ".github/", ".ci/")
MAPS = {"components": (1, "| components | modules |"), "ops": (0, "| modules | what they hold |")}
"""Column that names the modules, and header of its table."""
MAKE = re.compile(r"(?:^|&& )(?:[A-Z_]+=\S+ )*make ([a-z][a-z0-9-]*)", re.MULTILINE)


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
class TestEveryDocument:
    def test_links_lead_somewhere(self, path: Path) -> None:
        broken = []
        for link in LINK.findall(prose(path)):
            target, _, anchor = link.partition("#")
            file = (path.parent / target).resolve() if target else path
            elsewhere = re.match(r"[a-z]+:", target)
            if not elsewhere and (not file.exists() or (anchor and anchor not in anchors(file))):
                broken.append(link)
        assert broken == []

    def test_paths_of_the_repository_exist(self, path: Path) -> None:
        spans = [span for span in SPAN.findall(prose(path)) if span.startswith(TOP)]
        plain = [span for span in spans if not re.search(r"[<*\s]", span)]
        assert [span for span in plain if not (ROOT / span).exists()] == []

    def test_make_targets_exist(self, path: Path) -> None:
        targets = re.findall(r"^([a-z][a-z0-9 -]*):(?!=)", text(ROOT / "Makefile"), re.MULTILINE)
        known = {target for line in targets for target in line.split()}
        code = "\n".join([*FENCE.findall(text(path)), *SPAN.findall(prose(path))])
        assert set(MAKE.findall(code)) - known == set()

    def test_commands_of_ops_exist(self, path: Path) -> None:
        known = {command.callback.__name__ for command in app.registered_commands if command.callback}
        known |= {str(group.name) for group in app.registered_groups}
        assert set(re.findall(r"-m ops ([a-z][a-z-]*)", text(path))) - known == set()


def test_every_document_is_reached_from_the_readme() -> None:
    reached, new = set[Path](), {README}
    while new:
        reached |= new
        links = {
            (path.parent / link.partition("#")[0]).resolve()
            for path in new
            for link in LINK.findall(text(path))
        }
        listed = {document for link in links if link.is_dir() for document in link.glob("*.md")}
        new = {link for link in links | listed if link.suffix == ".md" and link.exists()} - reached
    documents = [path for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")]
    assert [name_of(path) for path in documents if path not in reached] == []


@pytest.mark.parametrize("package", MAPS)
class TestMaps:
    def test_each_module_is_named_once(self, package: str) -> None:
        map_ = ROOT / package / "README.md"
        column, header = MAPS[package]
        named = [span for row in table(map_, header) for span in SPAN.findall(row[column])]
        entries = {"__init__.py", "__main__.py", "phases.py"}
        assert sorted(named) == sorted({path.name for path in map_.parent.glob("*.py")} - entries)

    def test_no_folder_needs_one_above_it(self, package: str) -> None:
        folder = ROOT / package
        rows = table(folder / "README.md", "| folder | holds |")
        order = [name.rstrip("/") for row in rows for name in SPAN.findall(row[0])]
        assert sorted(order) == sorted(path.parent.name for path in folder.glob("*/__init__.py"))
        imports: dict[str, set[str]] = {}
        for path in folder.rglob("*.py"):
            part = path.relative_to(folder).parts[0].removesuffix(".py")
            imported = set(re.findall(rf"^from {package}(?:\.| import )(\w+)", text(path), re.MULTILINE))
            imports.setdefault(part, set()).update(imported - {part})
        for place, name in enumerate(order):
            needed: set[str] = set()
            new = imports[name]
            while new:
                needed |= new
                new = {further for part in new for further in imports[part]} - needed
            assert not needed.intersection(order[: place + 1]), name
