"""What a phase needs of the lab, which parts are missing, and how each one is made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.lab import (
    argocd,
    collector,
    debian,
    flux,
    git_server,
    gobuild,
    grafana_build,
    keda,
    maven,
    programs,
    prometheus_operator,
    resource_types,
    schemas,
    store,
    traefik,
)
from tests.lab.cluster_programs import KUBERNETES_VERSION
from tests.lab.debian import Base
from tests.lab.errors import LabError
from tests.lab.goprogram import GoProgram

MOST_SCRATCH_GB = 16.0
"""Go's caches are deleted after each program when disk space gets low, so no build needs more than this."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing in the cache: how to tell that it is there, how to make it, and what disk that takes.

    Attributes:
        name: what it is.
        version: of what.
        phase: first phase of the stack that needs it.
        is_there: tells whether it is complete and of the current recipe.
        make: makes it.
        tools: commands that ``make`` runs and does not install.
        root: ``make`` needs root.
        disk_gb: what it uses when finished, in the cache and again in an image, measured.
        scratch_gb: growth of Go's caches in its build, measured; given back at the end.
    """

    name: str
    version: str
    phase: int
    is_there: Callable[[], bool]
    make: Callable[[], None]
    tools: tuple[str, ...]
    root: bool = False
    disk_gb: float
    scratch_gb: float = 0.0


def parts(phase: int) -> list[Part]:
    """The parts of these phases in the order in which they are made."""
    return [part for part in _all_parts() if part.phase <= phase]


def lanes(wanted: Sequence[Part]) -> list[list[Part]]:
    """Divide parts into those that are made side by side; the order in each is kept.

    Those from the archives of Debian and Maven wait for network and disk, the others mostly for the compiler.
    """
    fetched = [part for part in wanted if {"apt-get", "mvn"} & set(part.tools)]
    return [[part for part in wanted if part not in fetched], fetched]


def operators() -> list[Part]:
    """The parts that only drills need."""
    programs = (keda.PROGRAM, traefik.PROGRAM, flux.PROGRAM, prometheus_operator.PROGRAM, argocd.PROGRAM)
    return [
        *map(_go_part, programs),
        *(_base_part(base, phase=3) for base in (git_server.BASE, argocd.BASE)),
        Part(
            name="files of argo-cd",
            version=argocd.VERSION,
            phase=3,
            is_there=argocd.has_files,
            make=argocd.fetch_files,
            tools=("go",),
            disk_gb=0.01,
        ),
    ]


def require_tools(missing: list[Part]) -> None:
    """Check before the first step that the tools for all missing parts are there.

    Raises:
        LabError: naming every tool that is not installed, and the parts that need it.
    """
    lacking: dict[str, list[str]] = {}
    for part in missing:
        needs = [tool for tool in part.tools if shutil.which(tool) is None]
        needs += ["to run as root"] if part.root and os.geteuid() != 0 else []
        for need in needs:
            lacking.setdefault(need, []).append(part.name)
    if lacking:
        lines = "".join(f"\n  {need}: for {', '.join(parts)}" for need, parts in lacking.items())
        raise LabError(
            f"the lab needs what this machine lacks:{lines}\nInstall it and run the same command again."
        )


def disk_needs(missing: list[Part]) -> dict[str, float]:
    """GB by part that the missing ones need; Go's caches are counted once, for all builds together."""
    needs = {f"{part.name} {part.version}": part.disk_gb for part in missing}
    scratch = sum(part.scratch_gb for part in missing)
    if scratch:
        needs["Go's caches while building (deleted afterwards)"] = min(scratch, MOST_SCRATCH_GB)
    return needs


def _all_parts() -> list[Part]:
    cli, *others = (_go_part(program) for program in programs.GO_PROGRAMS)
    return [
        cli,
        Part(
            name=programs.COLLECTOR_NAME,
            version=programs.COLLECTOR_VERSION,
            phase=1,
            is_there=collector.is_built,
            make=collector.build,
            tools=("go",),
            disk_gb=0.4,
            scratch_gb=4.5,
        ),
        *others,
        Part(
            name="grafana stand-in",
            version=programs.GRAFANA_VERSION,
            phase=1,
            is_there=grafana_build.is_built,
            make=grafana_build.build,
            tools=("go",),
            disk_gb=0.05,
            scratch_gb=0.5,
        ),
        _package_part(debian.BUSYBOX, phase=1, disk_gb=0.01),
        Part(
            name="kafka",
            version=programs.KAFKA_VERSION,
            phase=2,
            is_there=maven.is_fetched,
            make=maven.fetch_kafka,
            tools=("mvn", "java"),
            disk_gb=0.1,
        ),
        *(_base_part(base, phase=2) for base in (debian.JAVA, debian.HAPROXY)),
        *_cluster_parts(),
        *(_base_part(base, phase=4) for base in (debian.POSTGRES, debian.AWS_CLI)),
    ]


def _cluster_parts() -> list[Part]:
    """What the cluster needs besides its programs."""
    return [
        _package_part(debian.CNI_PLUGINS, phase=3, disk_gb=0.06),
        Part(
            name=debian.IPSET,
            version=debian.MACHINE,
            phase=3,
            is_there=lambda: shutil.which(debian.IPSET) is not None,
            make=lambda: debian.ensure_package(debian.IPSET, debian.IPSET),
            tools=("apt-get",),
            root=True,
            disk_gb=0.01,
        ),
        Part(
            name="resource types",
            version="of KEDA, Gateway API, Prometheus Operator, Argo CD, Flux",
            phase=3,
            is_there=resource_types.has_modules,
            make=resource_types.fetch_modules,
            tools=("go",),
            disk_gb=0.01,
            scratch_gb=0.5,
        ),
        Part(
            name="resource types of strimzi",
            version=resource_types.STRIMZI_VERSION,
            phase=3,
            is_there=resource_types.has_strimzi,
            make=resource_types.make_strimzi,
            tools=("mvn",),
            disk_gb=0.01,
            scratch_gb=0.2,
        ),
        Part(
            name="JSON schemas",
            version=f"of Kubernetes {KUBERNETES_VERSION}",
            phase=3,
            is_there=schemas.are_made,
            make=schemas.make,
            tools=("go",),
            disk_gb=0.05,
            scratch_gb=0.2,
        ),
    ]


def _go_part(program: GoProgram) -> Part:
    target = programs.program_folder(program.name, program.version)
    return Part(
        name=program.name,
        version=program.version,
        phase=program.phase,
        is_there=lambda: store.is_done(target, program.recipe),
        make=lambda: gobuild.build(program),
        tools=("go",),
        disk_gb=program.disk_gb,
        scratch_gb=program.scratch_gb,
    )


def _package_part(package: str, *, phase: int, disk_gb: float) -> Part:
    return Part(
        name=package,
        version=debian.MACHINE,
        phase=phase,
        is_there=lambda: debian.has_unpacked(package),
        make=lambda: debian.unpack(package),
        tools=("apt-get", "dpkg-deb"),
        disk_gb=disk_gb,
    )


def _base_part(base: Base, *, phase: int) -> Part:
    return Part(
        name=f"Debian with {base.package}",
        version=f"of {' or '.join(base.suites)}",
        phase=phase,
        is_there=lambda: base.is_made,
        make=lambda: debian.make(base),
        tools=("apt-get",),
        root=True,
        disk_gb=0.7,
    )
