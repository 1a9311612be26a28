"""What the lab's images hold, with small files in place of the built programs."""

from __future__ import annotations

import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from components.images import CATALOGUE, Image
from tests.lab import cache, debian, image_table, images
from tests.lab.rootfs import RootFs


class TestRootFileSystem:
    def test_parents_are_made_and_the_first_entry_wins(self, tmp_path: Path) -> None:
        with RootFs(tmp_path / "base.tar") as base:
            base.text("etc/passwd", "from the base")
            base.text("usr/share/file", "from the base")
            base.text("usr/bin/bash", "from the base")
        with RootFs(tmp_path / "image.tar") as root:
            root.users({"app": (1000, 1000)})
            root.directory("var/lib/app", uid=1000, gid=1000)
            root.merge(tmp_path / "base.tar", without={"usr/bin/bash"})
        entries = _entries(tmp_path / "image.tar")
        assert entries["var/lib"].uid == 0
        assert (entries["var/lib/app"].uid, entries["var/lib/app"].gid) == (1000, 1000)
        assert "usr/share/file" in entries
        assert "usr/bin/bash" not in entries
        with tarfile.open(tmp_path / "image.tar") as tar:
            names = tar.getnames()
            passwd = tar.extractfile("etc/passwd")
            assert passwd is not None
            assert b"app:x:1000:1000" in passwd.read()
        assert len(names) == len(set(names))

    def test_the_same_content_makes_the_same_bytes(self, tmp_path: Path) -> None:
        for name in ("a.tar", "b.tar"):
            with RootFs(tmp_path / name) as root:
                root.text("etc/file", "text")
        assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


ROOT = 0
"""An image that runs as root leaves it to the program of the stack to name its user."""
WITHOUT_SHELL = {"otel/opentelemetry-collector-contrib", "grafana/loki", "grafana/mimir", "grafana/tempo"}
"""Official images that hold no shell and no tools."""


@pytest.fixture
def fake_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands small files in for the built programs and bases."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho sh\necho wget\n")
    program.chmod(0o755)
    with RootFs(tmp_path / "base.tar") as base:
        base.text("bin/bash", "")
        base.text("bin/sh", "")
        base.text("usr/sbin/haproxy", "", mode=0o755)
    (tmp_path / "libs").mkdir()
    monkeypatch.setattr(cache, "binary", lambda _name: program)
    monkeypatch.setattr(cache, "kafka_home", lambda: tmp_path)
    monkeypatch.setattr(debian, "busybox", lambda: program)
    monkeypatch.setattr(debian.Base, "tar", tmp_path / "base.tar")


@pytest.mark.usefixtures("fake_programs")
class TestImages:
    def test_the_lab_has_the_image_of_every_program_of_the_stack(self) -> None:
        lab = {image.reference for image in image_table.STACK_IMAGES}
        assert {image.reference for image in CATALOGUE.values()} <= lab

    @pytest.mark.parametrize("official", CATALOGUE.values(), ids=lambda official: official.reference)
    def test_an_image_keeps_what_the_program_of_the_stack_relies_on(
        self, official: Image, tmp_path: Path
    ) -> None:
        image = next(item for item in image_table.STACK_IMAGES if item.reference == official.reference)
        with RootFs(tmp_path / "image.tar") as root:
            image.contents(root)
        entries = _entries(tmp_path / "image.tar")
        shells = {"bin/sh", "bin/busybox", "usr/bin/sh"} & entries.keys()
        assert bool(shells) == (image.reference.partition(":")[0] not in WITHOUT_SHELL)
        assert _user_id(image, tmp_path / "image.tar") in {official.uid, ROOT}
        if official.owned_directory:
            assert entries[official.owned_directory.lstrip("/")].uid == official.uid
        for path in (*image.entrypoint, *image.command)[:1]:
            if path.startswith("/"):
                assert entries[path.lstrip("/")].mode & stat.S_IXOTH

    def test_a_changed_program_makes_another_image(self) -> None:
        image = image_table.STACK_IMAGES[0]
        assert replace(image, recipe=lambda: "another build").digest() != image.digest()

    def test_the_dockerfile_holds_the_promises(self) -> None:
        text = next(
            image for image in image_table.STACK_IMAGES if image.reference.startswith("haproxy")
        ).dockerfile()
        assert "USER haproxy\n" in text
        assert "STOPSIGNAL SIGUSR1\n" in text
        assert 'ENTRYPOINT ["docker-entrypoint.sh"]\n' in text

    def test_every_file_of_the_lab_that_goes_into_an_image_counts(self) -> None:
        kafka = next(
            image for image in image_table.STACK_IMAGES if image.reference.startswith("apache/kafka")
        )
        assert {"run", "contents.py", "rootfs.py"} <= {path.name for path in kafka.sources()}

    @pytest.mark.parametrize("image", image_table.LAB_IMAGES, ids=lambda image: image.reference)
    def test_an_image_of_the_lab_holds_what_it_starts(self, image: images.LabImage, tmp_path: Path) -> None:
        with RootFs(tmp_path / "image.tar") as root:
            image.contents(root)
        for path in image.entrypoint[:1]:
            assert path.lstrip("/") in _entries(tmp_path / "image.tar")


def _entries(archive: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(archive) as tar:
        return {member.name: member for member in tar.getmembers()}


def _user_id(image: images.LabImage, archive: Path) -> int:
    name = image.user.partition(":")[0]
    if name.isdecimal():
        return int(name)
    with tarfile.open(archive) as tar:
        passwd = tar.extractfile("etc/passwd")
        assert passwd is not None
        users = [line.split(":") for line in passwd.read().decode().splitlines()]
    return next(int(fields[2]) for fields in users if fields[0] == name)
