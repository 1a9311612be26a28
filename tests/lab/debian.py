"""From the Debian archive: single packages unpacked, and a minimal Debian with chosen packages."""

from __future__ import annotations

import os
import shutil
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.lab import store
from tests.lab.errors import LabError
from tests.lab.progress import run, say, step


@dataclass(frozen=True, kw_only=True)
class Base:
    """A minimal Debian with a program, which need not be the Debian of this machine.

    Attributes:
        package: the program's package.
        suites: releases of Debian to take it from: the first that has it and can be installed.
        extra: packages that go in too: those that provide a virtual name on which it depends, which
            debootstrap does not resolve, and what it serves.
    """

    package: str
    suites: tuple[str, ...] = ("trixie",)
    extra: tuple[str, ...] = ()

    @property
    def recipe(self) -> str:
        """What the base is made of, as text."""
        return f"{' or '.join(self.suites)}: {' '.join((self.package, *self.extra))}"

    @property
    def folder(self) -> Path:
        """Where its tar is kept."""
        return store.folder("base") / self.package

    @property
    def tar(self) -> Path:
        """The tar of the whole system."""
        return self.folder / "base.tar"

    @property
    def is_made(self) -> bool:
        """True when the tar is there, of this recipe."""
        return store.is_done(self.folder, self.recipe)


MACHINE = "of this machine"
"""The version of packages that apt fetches: the release that this machine runs."""
JAVA_MAJOR = "21"
JAVA = Base(package=f"openjdk-{JAVA_MAJOR}-jre-headless")
HAPROXY = Base(package="haproxy", suites=("forky", "trixie"))
"""Debian's testing release has the 3.2 of the official image. It moves; the stable one, with 3.0, is for days
on which the other cannot be installed."""
POSTGRES_MAJOR = "17"
POSTGRES = Base(package=f"postgresql-{POSTGRES_MAJOR}")
AWS_CLI = Base(package="awscli", extra=("python3-cffi-backend",))
BUSYBOX = "busybox-static"
CNI_PLUGINS = "containernetworking-plugins"
IPSET = "ipset"
_SCRIPT = Path("/usr/share/debootstrap/scripts/sid")
"""Installs any release of Debian; an older debootstrap has no script by the name of a newer release."""
_LEFT_OUT = (
    "dev",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache",
    "var/lib/apt/lists",
)


def busybox() -> Path:
    """The statically linked ``busybox`` of Debian."""
    return unpacked(BUSYBOX) / "bin" / "busybox"


def cni_plugins() -> Path:
    """The folder of the programs that connect a pod to the network."""
    return unpacked(CNI_PLUGINS) / "usr" / "lib" / "cni"


def unpacked(package: str) -> Path:
    """The folder of an unpacked package."""
    return store.folder("base") / package


def has_unpacked(package: str) -> bool:
    """True when the package has been fetched."""
    return store.is_done(unpacked(package), MACHINE)


def unpack(package: str) -> None:
    """Fetch a package with apt and unpack it; nothing is installed.

    Raises:
        LabError: when apt cannot fetch it.
    """
    log = store.log_file(package)
    log.write_text("")
    with step(f"fetch {package}"):
        store.fill(unpacked(package), MACHINE, lambda out: _unpack(package, out, log))


def make(base: Base) -> None:
    """Make a base.

    Raises:
        LabError: when debootstrap fails, as it does without root, or cannot be installed.
    """
    ensure_package("debootstrap", "debootstrap")
    log = store.log_file(f"base-{base.package}")
    log.write_text("")
    with step(f"make a Debian with {base.package}"):
        store.fill(base.folder, base.recipe, lambda out: _bootstrap(base, out, log))


@cache
def refresh_lists() -> None:
    """Fetch the lists of packages, once; a fresh machine may have none, and an old one stale ones.

    Raises:
        LabError: when apt-get is missing or fails.
    """
    if os.geteuid() == 0:
        log = store.log_file("apt-update")
        log.write_text("")
        run(["apt-get", "update"], log)


def ensure_package(command: str, *packages: str) -> None:
    """Install packages if ``command`` is not there yet; needs root.

    Raises:
        LabError: when apt-get is missing or fails.
    """
    if shutil.which(command):
        return
    log = store.log_file("apt")
    log.write_text("")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"apt-get install {' '.join(packages)}"):
        refresh_lists()
        run(["apt-get", "install", "-y", "--no-install-recommends", *packages], log, env=quiet)


def _unpack(package: str, out: Path, log: Path) -> None:
    refresh_lists()
    run(["apt-get", "download", package], log, cwd=out)
    (archive,) = out.glob(f"{package}_*.deb")
    run(["dpkg-deb", "-x", archive, out], log)
    archive.unlink()


def _bootstrap(base: Base, out: Path, log: Path) -> None:
    tree = out / "tree"
    _install(base, tree, log)
    with tarfile.open(out / base.tar.name, "w") as tar:
        tar.add(tree, arcname="", filter=_keep)
    shutil.rmtree(tree)


def _install(base: Base, tree: Path, log: Path) -> None:
    *newer, last = base.suites
    if not any(_can_install(base, suite, tree, log) for suite in newer):
        _debootstrap(base, last, tree, log)


def _can_install(base: Base, suite: str, tree: Path, log: Path) -> bool:
    try:
        _debootstrap(base, suite, tree, log)
    except LabError:
        say(f"{base.package} of Debian {suite} cannot be installed ({log})")
        store.remove(tree)
        return False
    return True


def _debootstrap(base: Base, suite: str, tree: Path, log: Path) -> None:
    packages = ",".join((base.package, *base.extra))
    run(["debootstrap", "--variant=minbase", f"--include={packages}", suite, tree, "", _SCRIPT], log)


def _keep(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.startswith(_LEFT_OUT) else entry
