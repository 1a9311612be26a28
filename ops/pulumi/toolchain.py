"""Which Pulumi runs the program: the official CLI and plugins, or on a closed network the project's lab."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from pulumi.automation import PulumiCommand

from ops.docker.engine import Engine
from ops.errors import OpsError
from ops.project import DEFAULT_DOCKER_HOST, ROOT
from ops.pulumi.installed import Cli, Plugin, find_cli, install_folder, installed_plugins, needed_plugins
from ops.screen import say

DOWNLOADS = "https://get.pulumi.com/install.sh"
PROBE_SECONDS = 5.0
LAB_SWITCH = "OTEL_STACK_LAB"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How the engine will be provided.

    Attributes:
        lab: the closed-network lab stands in for the official parts.
        reason: why, for the user.
        cli: the official CLI that is already there.
        plugins: official plugins that are still to be installed.
    """

    lab: bool
    reason: str
    cli: Cli | None = None
    plugins: tuple[Plugin, ...] = ()


def choose(engine: Engine | None, images: Iterable[str], environ: Mapping[str, str] = os.environ) -> Choice:
    """Choose between the official parts and the lab without changing anything.

    Args:
        engine: the Docker Engine that will pull images, when it answers.
        images: references of the images that will be needed.
        environ: ``OTEL_STACK_LAB`` in it may be ``always`` or ``never``.

    Raises:
        OpsError: the official parts are not available and the lab is ruled out.
    """
    wish = _lab_wish(environ)
    if wish == "always":
        return Choice(lab=True, reason=f"{LAB_SWITCH}=always")
    cli = find_cli(environ)
    present = installed_plugins(cli, environ) if cli else set()
    missing = tuple(plugin for plugin in needed_plugins() if plugin not in present)
    obstacle = _tools_obstacle(cli, missing) or _images_obstacle(engine, images)
    if obstacle and wish == "never":
        raise OpsError(
            f"{obstacle}, and {LAB_SWITCH}=never rules out the closed-network lab",
            f"let this machine reach them (HTTPS_PROXY), or unset {LAB_SWITCH}",
        )
    if obstacle:
        return Choice(lab=True, reason=obstacle)
    return Choice(lab=False, reason=_official_reason(cli, missing), cli=cli, plugins=missing)


def provide(
    choice: Choice,
    *,
    phase: int | None = None,
    docker_host: str = DEFAULT_DOCKER_HOST,
    environ: Mapping[str, str] = os.environ,
    root: Path = ROOT,
) -> dict[str, str]:
    """Install or prepare what the choice needs; quick when it is all there.

    Args:
        choice: as given by ``choose``.
        phase: last phase for which the lab is prepared; every phase that it knows when None.
        docker_host: the engine that gets the lab's images; the lab starts the default one if it must.
        environ: of this process.
        root: the project's folder.

    Returns:
        Variables to add to the engine's environment.

    Raises:
        OpsError: an installation failed.
    """
    if choice.lab:
        say(f"The lab is used: {choice.reason}. Preparing it; the first time takes up to an hour.")
        _prepare_lab(phase, docker_host, environ, root)
        return lab_environment(root)
    cli = choice.cli or _install_cli(environ)
    added = cli.environment(environ)
    for plugin in choice.plugins:
        _install_plugin(cli, plugin, {**environ, **added})
    return added


def provide_engine(
    choice: Choice,
    *,
    phase: int,
    docker_host: str,
    environ: Mapping[str, str] = os.environ,
    root: Path = ROOT,
) -> dict[str, str]:
    """Like ``provide``, for commands that need no images: a lab that was prepared once is used as it is.

    Raises:
        OpsError: an installation failed.
    """
    if choice.lab:
        with contextlib.suppress(OpsError):
            return lab_environment(root)
    return provide(choice, phase=phase, docker_host=docker_host, environ=environ, root=root)


def at_hand(environ: Mapping[str, str] = os.environ, root: Path = ROOT) -> dict[str, str]:
    """Find an engine that was used here before, for commands that only read a stack's state.

    Returns:
        Variables to add to the engine's environment.

    Raises:
        OpsError: neither an official CLI nor a prepared lab is here.
    """
    wish = _lab_wish(environ)
    cli = None if wish == "always" else find_cli(environ)
    if cli is not None:
        return cli.environment(environ)
    if wish == "never":
        raise OpsError("no Pulumi CLI on this machine", "run: make up", status=2)
    return lab_environment(root)


def lab_environment(root: Path) -> dict[str, str]:
    """Variables that put the lab's CLI and plugins in place.

    Raises:
        OpsError: the lab has not been prepared.
    """
    command = [sys.executable, "-m", "tests.lab", "env"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    try:
        parsed = json.loads(result.stdout) if result.returncode == 0 else None
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise OpsError(
            f"no Pulumi CLI here, and the closed-network lab is not prepared: {result.stderr.strip()[-300:]}",
            "run: make up",
            status=2,
        )
    return {str(name): str(value) for name, value in parsed.items()}


def downloads_problem() -> str:
    """Why the official downloads cannot be reached; empty when they can."""
    try:
        answer = httpx.head(DOWNLOADS, timeout=PROBE_SECONDS, follow_redirects=True)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return f"HTTP {answer.status_code}" if answer.is_error else ""


def _lab_wish(environ: Mapping[str, str]) -> str:
    wish = environ.get(LAB_SWITCH, "")
    if wish not in ("", "auto", "always", "never"):
        raise OpsError(f"{LAB_SWITCH}={wish}", "allowed: auto (the default), always, never", status=2)
    return wish


def _tools_obstacle(cli: Cli | None, missing: tuple[Plugin, ...]) -> str:
    if cli is not None and not missing:
        return ""
    problem = downloads_problem()
    return f"the official Pulumi downloads cannot be reached ({problem})" if problem else ""


def _images_obstacle(engine: Engine | None, images: Iterable[str]) -> str:
    missing = engine.missing_images(images) if engine else []
    problem = engine.registry_problem(missing[0]) if engine and missing else ""
    return f"the Docker Engine cannot reach the registry of {missing[0]} ({problem})" if problem else ""


def _official_reason(cli: Cli | None, missing: tuple[Plugin, ...]) -> str:
    if cli is None:
        return "official CLI and plugins, to be downloaded"
    found = f"official CLI {'.'.join(str(part) for part in cli.version)} at {cli.path}"
    return f"{found}; plugins to download: {', '.join(map(str, missing))}" if missing else found


def _install_cli(environ: Mapping[str, str]) -> Cli:
    folder = install_folder(environ)
    say(f"Installing the official Pulumi CLI into {folder} ...")
    try:
        PulumiCommand.install(root=str(folder))
    except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
        said = (getattr(error, "output", None) or b"").decode(errors="replace").strip()
        raise OpsError(
            f"the Pulumi CLI could not be installed into {folder}: {said or error}",
            "install it by hand (https://www.pulumi.com/docs/install/) and run the same command again",
        ) from error
    cli = find_cli({**environ, "PATH": f"{folder / 'bin'}{os.pathsep}{environ.get('PATH', '')}"})
    if cli is None:
        raise OpsError(f"the Pulumi CLI in {folder} does not run", f"remove {folder} and try again")
    return cli


def _install_plugin(cli: Cli, plugin: Plugin, environment: Mapping[str, str]) -> None:
    say(f"Installing the official plugin {plugin} ...")
    command = [str(cli.path), "plugin", "install", "resource", plugin.name, f"v{plugin.version}"]
    if subprocess.run(command, env=dict(environment), check=False).returncode != 0:
        raise OpsError(
            f"the Pulumi plugin {plugin} could not be installed",
            f"see the message above; {' '.join(command)} tries again, {LAB_SWITCH}=always works without it",
        )


def _prepare_lab(phase: int | None, docker_host: str, environ: Mapping[str, str], root: Path) -> None:
    command = [sys.executable, "-m", "tests.lab", "prepare"]
    if phase is not None:
        command += ["--phase", str(phase)]
    environment = {name: value for name, value in environ.items() if name != "DOCKER_HOST"}
    if docker_host != DEFAULT_DOCKER_HOST:
        environment["DOCKER_HOST"] = docker_host
    if subprocess.run(command, cwd=root, env=environment, check=False).returncode != 0:
        raise OpsError("the closed-network lab could not be prepared", "see the message above")
