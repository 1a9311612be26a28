"""Packages of the Debian archive on a machine that has never listed them."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.lab import debian

APT_GET = """#!/bin/sh
case "$1" in
    update) echo update >> "$LISTS";;
    download) [ -f "$LISTS" ] || exit 100; touch "$2_1_all.deb";;
esac
"""


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The record of each update, by a package manager that has no lists before the first."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("apt-get", APT_GET), ("dpkg-deb", "#!/bin/sh\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("OTEL_STACK_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LISTS", str(tmp_path / "lists"))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    debian.refresh_lists.cache_clear()
    return tmp_path / "lists"


def test_packages_are_listed_once_before_the_first_is_fetched(lists: Path) -> None:
    for package in ("busybox-static", "containernetworking-plugins"):
        debian.unpack(package)
        assert debian.has_unpacked(package)
    assert lists.read_text().split() == ["update"]


DEBOOTSTRAP = """#!/bin/sh
[ "$3" != testing ] || exit 1
mkdir -p "$4/etc" && echo "$2 $3" > "$4/etc/release"
"""


def test_a_release_that_cannot_be_installed_gives_way_to_the_next(lists: Path) -> None:
    program = lists.parent / "bin" / "debootstrap"
    program.write_text(DEBOOTSTRAP)
    program.chmod(0o755)
    base = debian.Base(package="haproxy", suites=("testing", "stable"), extra=("lua",))
    debian.make(base)
    assert base.is_made
    with tarfile.open(base.tar) as tar:
        release = tar.extractfile("etc/release")
        assert release is not None
        assert release.read().decode() == "--include=haproxy,lua stable\n"
