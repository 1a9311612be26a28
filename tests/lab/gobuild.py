"""Builds a Go program from its module, in a module of the lab's own.

``replace`` directives are not inherited, so those of the upstream ``go.mod`` that name a version are
repeated. Checksums are verified as usual: the environment's checksum settings are left alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab import disk, disposal, store
from tests.lab.errors import LabError
from tests.lab.goprogram import GoProgram
from tests.lab.programs import program_folder
from tests.lab.progress import run, step

NO_DEBUG_DATA = "-gcflags=all=-dwarf=false"
"""The linker would only drop it. Without it ``go build std`` takes 8% less time; stack traces stay."""

COMPILER_GOGC = "400"
"""The compiler may keep five times what it needs: ``go build std`` takes 11% less time."""


def build(program: GoProgram) -> None:
    """Build every binary of ``program`` into the cache; do nothing if they are there.

    Raises:
        LabError: when Go fails; the message names the log.
    """
    target = program_folder(program.name, program.version)
    if store.is_done(target, program.recipe):
        return
    log = store.log_file(program.name)
    log.write_text("")
    with step(f"build {program.name} {program.version}", disk_left):
        module = _own_module(program, log)
        store.fill(target, program.recipe, lambda out: _compile(program, module, out, log))
    spare_disk()


def go_environment() -> dict[str, str]:
    """Go's environment for every build: caches of the lab's own, static programs, no workspace."""
    caches = store.folder("go")
    return {
        "GOCACHE": str(caches / "build"),
        "GOMODCACHE": str(caches / "mod"),
        "GOFLAGS": "-buildvcs=false -modcacherw",
        "GOGC": COMPILER_GOGC,
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }


def compile_packages(
    packages: Sequence[str],
    out: Path,
    log: Path,
    *,
    cwd: Path,
    strings: Mapping[str, str] | None = None,
    linker: Sequence[str] = (),
    tags: Sequence[str] = (),
    mod: str = "mod",
) -> None:
    """Compile main packages with ``strings`` set in them, without symbol tables or paths of this machine.

    ``out`` is the program's file, or a folder that takes each program under the last element of its package.
    ``mod`` is Go's ``-mod``: ``mod`` completes the ``go.mod`` in ``cwd``, ``readonly`` insists on it.

    Raises:
        LabError: when Go fails.
    """
    set_strings = (f"-X {name}={value}" for name, value in (strings or {}).items())
    options = " ".join(["-s", "-w", *linker, *set_strings])
    flags = [f"-mod={mod}", "-trimpath", NO_DEBUG_DATA, f"-tags={','.join(tags)}", "-ldflags", options]
    run(["go", "build", *flags, "-o", str(out), *packages], log, cwd=cwd, env=go_environment())


def inherited_replaces(go_mod: dict[str, Any], tree_version: str = "") -> dict[str, str]:
    """The replace directives of an upstream ``go.mod``, as ``old -> new@version``.

    ``go_mod`` is what ``go mod edit -json`` prints. A directive without a version points into the upstream's
    own source tree, which the registry publishes as modules of their own: at ``tree_version``, or without
    one at the version that ``go.mod`` requires.
    """
    found: dict[str, str] = {}
    for directive in go_mod.get("Replace") or []:
        old, new = directive["Old"], directive["New"]
        if "Version" in new:
            name = f"{old['Path']}@{old['Version']}" if "Version" in old else old["Path"]
            found[name] = f"{new['Path']}@{new['Version']}"
        elif tree_version:
            found[old["Path"]] = f"{old['Path']}@{tree_version}"
    return found


def source(module: str, version: str) -> Path:
    """The folder of a module's source, which goes with Go's caches.

    Raises:
        LabError: when the module cannot be fetched.
    """
    return Path(_download(module, version, store.root())["Dir"])


def spare_disk() -> None:
    """Begin to delete Go's caches when disk space gets low; common packages are then compiled again."""
    disposal.wait()
    if disk.free_gb(store.root()) < disk.KEEP_GO_CACHE_ABOVE_GB:
        clean()


def clean() -> None:
    """Begin to delete Go's caches and the modules that were built in them."""
    disposal.start(store.root() / "go", store.root() / "build")


def disk_left() -> str:
    """What the heartbeat of a build says besides the time."""
    return f"({disk.free_gb(store.root()):.0f} GB of disk free)"


def _own_module(program: GoProgram, log: Path) -> Path:
    environment = go_environment()
    module = store.folder("build") / program.name
    shutil.rmtree(module, ignore_errors=True)
    if program.source:
        shutil.copytree(program.source, module)
    else:
        module.mkdir()
    (module / "go.mod").write_text(f"module otel-stack-lab/{program.name}\n")
    _pin(program, module)
    upstreams = [_go_mod(name, version, module) for name, version in sorted(program.modules.items())]
    newest = max((str(one["Go"]) for one in upstreams), key=_numbers)
    (module / "go.mod").write_text(f"module otel-stack-lab/{program.name}\n\ngo {newest}\n")
    inherited = [inherited_replaces(one, program.tree_version) for one in upstreams]
    replaces = {old: new for one in (*inherited, program.replaces) for old, new in one.items()}
    edits = [f"-require={name}@{version}" for name, version in program.modules.items()]
    edits += [f"-replace={old}={new}" for old, new in replaces.items()]
    run(["go", "mod", "edit", *edits], log, cwd=module, env=environment)
    return module


def _pin(program: GoProgram, module: Path) -> None:
    """Write the checksums that Go's database does not have: of the upstream module, and those that it has."""
    if program.checksums is None:
        return
    whole, go_mod = program.checksums
    name, version = program.module, program.module_version
    sums = module / "go.sum"
    sums.write_text(f"{name} {version} {whole}\n{name} {version}/go.mod {go_mod}\n")
    upstream = Path(_download(name, version, module)["Dir"])
    sums.write_text(sums.read_text() + (upstream / "go.sum").read_text())


def _go_mod(module: str, version: str, folder: Path) -> dict[str, Any]:
    return _json(["go", "mod", "edit", "-json", _download(module, version, folder)["GoMod"]], folder)


def _download(module: str, version: str, folder: Path) -> dict[str, Any]:
    return _json(["go", "mod", "download", "-json", f"{module}@{version}"], folder)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def _compile(program: GoProgram, module: Path, out: Path, log: Path) -> None:
    packages = list(program.binaries.values())
    compile_packages(
        packages,
        out / next(iter(program.binaries)) if len(packages) == 1 else out,
        log,
        cwd=module,
        strings=program.strings,
        linker=program.linker,
        tags=program.tags,
    )


def _json(command: list[str], folder: Path) -> dict[str, Any]:
    environment = {**os.environ, **go_environment()}
    try:
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, cwd=folder, check=False
        )
    except FileNotFoundError as error:
        raise LabError("Go is not installed; the lab builds its programs with Go 1.26 or newer") from error
    if result.returncode != 0:
        raise LabError(f"{' '.join(command)} failed:\n{result.stdout[-1500:]}{result.stderr[-1500:]}")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer
