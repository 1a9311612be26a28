"""Argo CD, which only drills use: ``python -m tests.lab operators`` builds it, ``prepare`` does not."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab import debian, gobuild, programs, store
from tests.lab.goprogram import GoProgram
from tests.lab.images import LabImage
from tests.lab.rootfs import RootFs

OBJECTS = Path(__file__).parent / "argocd.yaml"
"""What its own manifests leave to its command and its API server."""
VERSION = "3.5.3"
"""The last whose ``gitops-engine``, a folder of its source, the Go registry has too; 3.6 needs a newer Go."""
_ENGINE = "github.com/argoproj/argo-cd/gitops-engine"
_ENGINE_VERSION = "v0.0.0-20260914071520-c9c369efcc5b"
"""Of the same second as 3.5.3."""
CONTROLLER, REPOSITORIES = "argocd-application-controller", "argocd-repo-server"
_USER = 999

PROGRAM = GoProgram(
    name="argo-cd",
    version=VERSION,
    module="github.com/argoproj/argo-cd/v3",
    module_version=f"v{VERSION}",
    binaries={"argocd": "."},
    source=Path(__file__).parent / "program",
    phase=3,
    strings={"github.com/argoproj/argo-cd/v3/common.version": VERSION},
    replaces={_ENGINE: f"{_ENGINE}@{_ENGINE_VERSION}"},
    disk_gb=0.2,
    scratch_gb=2.0,
)
BASE = debian.Base(package="redis-server", extra=("git", "openssh-client"))
"""Redis, and what fetches repositories."""
_FILES = {"install.yaml": "manifests/install.yaml", "verify": "hack/git-verify-wrapper.sh"}
"""What is taken from its Go module besides the program."""
_RECIPE = f"{PROGRAM.module} {PROGRAM.module_version} {_FILES}"


def manifest() -> Path:
    """Its own manifests."""
    return _folder() / "install.yaml"


def has_files() -> bool:
    """True when its manifests and its script have been fetched."""
    return store.is_done(_folder(), _RECIPE)


def fetch_files() -> None:
    """Extract its manifests and its script from its Go module.

    Raises:
        LabError: when the module cannot be fetched.
    """
    store.fill(_folder(), _RECIPE, _copy)


def _folder() -> Path:
    return store.folder("argo-cd")


def _copy(out: Path) -> None:
    module = gobuild.source(PROGRAM.module, PROGRAM.module_version)
    for name, path in _FILES.items():
        shutil.copyfile(module / path, out / name)


def _argocd(root: RootFs) -> None:
    root.users({"argocd": (_USER, _USER), "nobody": (65534, 65534)})
    root.program("usr/local/bin/argocd", programs.program_folder(PROGRAM.name, VERSION) / "argocd")
    for name in (CONTROLLER, REPOSITORIES):
        root.link(f"usr/local/bin/{name}", "argocd")
    root.program("usr/local/bin/git-verify-wrapper.sh", _folder() / "verify")
    root.directory("home/argocd", uid=_USER)
    root.merge(BASE.tar)


def _redis(root: RootFs) -> None:
    root.merge(BASE.tar)


ARGO_CD = LabImage(
    reference=f"quay.io/argoproj/argocd:v{VERSION}",
    holds=f"application controller and repository server {VERSION}, Git of Debian",
    phase=3,
    user=str(_USER),
    contents=_argocd,
    recipe=lambda: f"{PROGRAM.recipe} {BASE.recipe} {_RECIPE}",
    workdir="/home/argocd",
    environment={"ARGOCD_GPG_ENABLED": "false", "GRPC_ENABLE_TXT_SERVICE_CONFIG": "false"},
)
REDIS = LabImage(
    reference="public.ecr.aws/docker/library/redis:8.2.3-alpine",
    holds="Redis of Debian",
    phase=3,
    user="999",
    contents=_redis,
    recipe=lambda: BASE.recipe,
    entrypoint=("redis-server",),
)
IMAGES = (ARGO_CD, REDIS)
