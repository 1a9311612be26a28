"""From the Debian archive: single packages unpacked, and a minimal Debian with chosen packages."""

from __future__ import annotations

import os
import shutil
import tarfile
from functools import cache
from pathlib import Path

from tests.lab import store
from tests.lab.progress import run, step

SUITE = "bookworm"
JAVA = "openjdk-17-jre-headless"
HAPROXY = "haproxy"
POSTGRES_MAJOR = "15"
POSTGRES = f"postgresql-{POSTGRES_MAJOR}"
AWS_CLI = "awscli"
BUSYBOX = "busybox-static"
CNI_PLUGINS = "containernetworking-plugins"
IPSET = "ipset"
_WITH = {AWS_CLI: ["python3-cffi-backend"]}
"""Packages that provide a virtual name on which another one depends; debootstrap does not resolve those."""
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
    return store.is_done(unpacked(package), SUITE)


def unpack(package: str) -> None:
    """Fetch a package with apt and unpack it; nothing is installed.

    Raises:
        LabError: when apt cannot fetch it.
    """
    log = store.log_file(package)
    log.write_text("")
    with step(f"fetch {package}"):
        store.fill(unpacked(package), SUITE, lambda out: _unpack(package, out, log))


def base(package: str) -> Path:
    """The tar of a minimal Debian that holds this package."""
    return _base_folder(package) / "base.tar"


def has_base(package: str) -> bool:
    """True when the base of this package has been made."""
    return store.is_done(_base_folder(package), SUITE)


def make_base(package: str) -> None:
    """Make the base of a package.

    Raises:
        LabError: when debootstrap fails, as it does without root, or cannot be installed.
    """
    ensure_package("debootstrap", "debootstrap")
    log = store.log_file(f"base-{package}")
    log.write_text("")
    with step(f"make a Debian base with {package}"):
        store.fill(_base_folder(package), SUITE, lambda out: _bootstrap(package, out, log))


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


def _base_folder(package: str) -> Path:
    return store.folder("base") / package


def _unpack(package: str, out: Path, log: Path) -> None:
    refresh_lists()
    run(["apt-get", "download", package], log, cwd=out)
    (archive,) = out.glob(f"{package}_*.deb")
    run(["dpkg-deb", "-x", archive, out], log)
    archive.unlink()


def _bootstrap(package: str, out: Path, log: Path) -> None:
    tree = out / "tree"
    packages = ",".join([package, *_WITH.get(package, [])])
    run(["debootstrap", "--variant=minbase", f"--include={packages}", SUITE, tree], log)
    with tarfile.open(out / "base.tar", "w") as tar:
        tar.add(tree, arcname="", filter=_keep)
    shutil.rmtree(tree)


def _keep(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.startswith(_LEFT_OUT) else entry
