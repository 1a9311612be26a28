"""The programs' own checkers of configuration, run in the programs' own images."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from docker.errors import APIError
from docker.models.containers import Container

from components.images import CATALOGUE
from tests.support.containers import archive
from tests.support.docker_engine import Engine
from tests.support.program import CONTAINER, Registered, Result
from tests.support.waiting import until

EACH_SCRIPT = 'for script in "$@"; do "$0" -n "$script" || exit 1; done'
FORMAT = [
    "/opt/kafka/bin/kafka-storage.sh",
    *("format", "--cluster-id", "b3RlbC1zdGFjay1jaGVja3M", "--config"),
]
AT_ONCE = 4
"""Containers side by side: most of a check's time goes into starting and ending one."""
START_SECONDS = 60.0
END_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Configured:
    """A program with its configuration.

    Attributes:
        program: its name in the catalogue of images.
        command: its arguments.
        environment: its environment variables.
        directory: where the files are.
        files: text by path in that directory.
    """

    program: str
    directory: str
    files: Mapping[str, str]
    command: Sequence[str] = ()
    environment: Sequence[str] = ()

    def __str__(self) -> str:
        """Name it for a message."""
        return f"{self.program} with {', '.join(sorted(self.files))}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a checker said.

    Attributes:
        accepted: the program accepts the configuration.
        said: its output.
    """

    accepted: bool
    said: str


@dataclass(frozen=True, kw_only=True)
class Checker:
    """Asks programs for their verdicts, each configuration once."""

    engine: Engine
    known: dict[str, Verdict] = field(default_factory=dict)

    def check(self, configured: Configured) -> Verdict:
        """Ask a program whether it accepts a configuration."""
        return self.check_all([configured])[0]

    def check_all(self, several: Sequence[Configured]) -> list[Verdict]:
        """Ask programs whether they accept their configurations, some of them side by side."""
        self.engine.provide(sorted({CATALOGUE[one.program].reference for one in several}))
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(self._once, several))

    def require_accepted(self, several: Sequence[Configured]) -> None:
        """Require that programs accept their configurations."""
        for configured, verdict in zip(several, self.check_all(several), strict=True):
            assert verdict.accepted, f"{configured}:\n{verdict.said}"

    def _once(self, configured: Configured) -> Verdict:
        key = json.dumps([configured.program, configured.command, configured.environment, configured.files])
        if key not in self.known:
            self.known[key] = self._ask(configured)
        return self.known[key]

    def _ask(self, configured: Configured) -> Verdict:
        image = CATALOGUE[configured.program]
        entrypoint, command = _checking(configured)
        container = self.engine.client.containers.create(
            image.reference,
            entrypoint=entrypoint,
            command=command,
            environment=list(configured.environment),
            hostname="localhost",
            network_mode="none",
        )
        try:
            container.put_archive("/", archive(_placed(configured), uid=image.uid, gid=image.gid))
            container.start()
            return _started(container) if configured.program == "grafana" else _ended(container)
        finally:
            container.remove(force=True, v=True)


def configured(result: Result) -> Iterator[Configured]:
    """Find every running program of a stack that has configuration files."""
    uploads = {one.name: one.plain("uploads") for one in result.of(CONTAINER) if one.plain("uploads")}
    for container in result.of(CONTAINER):
        for mount in container.inputs.get("volumes", []):
            if container.inputs.get("start", True) and mount["volumeName"] in uploads:
                directory = mount["containerPath"]
                yield Configured(
                    program=_program_of(container),
                    directory=directory,
                    files={
                        upload["file"].removeprefix(f"{directory}/"): upload["content"]
                        for upload in uploads[mount["volumeName"]]
                    },
                    command=container.inputs.get("command", []),
                    environment=container.plain("envs") or [],
                )


def files_of(result: Result, program: str) -> Mapping[str, str]:
    """Give the configuration files of a program that runs once."""
    return next(one.files for one in configured(result) if one.program == program)


def _program_of(container: Registered) -> str:
    reference = container.inputs["image"].removeprefix("sha256:")
    return next(name for name, image in CATALOGUE.items() if image.reference == reference)


def _checking(configured: Configured) -> tuple[list[str] | None, list[str]]:
    """Give entry point (None: the image's own) and arguments of a program's checker."""
    paths = {path: f"{configured.directory}/{path}" for path in sorted(configured.files)}
    if scripts := [full for path, full in paths.items() if path.endswith(".sh")]:
        shell = "bash" if configured.program == "kafka" else "sh"
        checks = {"server.properties": " ".join(FORMAT), "query-gateway.cfg": "haproxy -c -f"}
        then = [f"{check} {paths[path]}" for path, check in checks.items() if path in paths]
        return [shell, "-c", "; ".join([EACH_SCRIPT, *then]), shell], scripts
    main = next(iter(paths.values()))
    given = list(configured.command)
    commands: dict[str, tuple[list[str] | None, list[str]]] = {
        "collector": (None, ["validate", *given]),
        "jaeger": (None, ["validate", *given]),
        "prometheus": (["promtool"], ["check", "config", f"{configured.directory}/prometheus.yaml"]),
        "loki": (None, [*given, "-verify-config"]),
        "mimir": (None, [*given, "-modules"]),
        "tempo": (None, [*given, "-config.verify=true"]),
        "postgres": (["postgres"], ["-C", "port", "-D", "/tmp", "-c", f"config_file={main}"]),  # noqa: S108
        "haproxy": (["haproxy"], ["-c", "-f", main]),
        "kafka": (FORMAT[:1], [*FORMAT[1:], main]),
    }
    if "--agent" in given:
        return ["promtool"], ["check", "config", "--agent", f"{configured.directory}/agent.yaml"]
    return commands.get(configured.program, (None, given))


def _placed(configured: Configured) -> dict[str, str]:
    return {f"{configured.directory}/{path}": text for path, text in configured.files.items()}


def _ended(container: Container) -> Verdict:
    """A checker ends with status 0 when all is well."""
    status = container.wait(timeout=END_SECONDS)["StatusCode"]
    return Verdict(accepted=status == 0, said=container.logs().decode(errors="replace"))


def _started(container: Container) -> Verdict:
    """Grafana has no checker; it starts, or it ends and says what it does not accept."""

    def answer() -> str:
        container.reload()
        if container.status == "exited":
            return "ended"
        asked = container.exec_run(["wget", "-q", "-O", "/dev/null", "http://localhost:3000/api/health"])
        return "healthy" if asked.exit_code == 0 else ""

    what = "Grafana to answer its health check or to end"
    state = until(what, answer, seconds=START_SECONDS, forgive=(APIError,))
    return Verdict(accepted=state == "healthy", said=container.logs().decode(errors="replace"))
