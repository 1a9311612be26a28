"""Phases 1 and 2: containers of a Docker Engine, whose published ports this machine reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from components.composition.addresses import host_addresses
from components.values.addresses import LOOPBACK
from ops.backup.volumes import Volumes
from ops.docker.brokers import brokers_of, check_brokers, stop_together
from ops.docker.certificate import certificate_readings
from ops.docker.checks import check_disk, check_engine, check_memory, check_ports, own_containers
from ops.docker.disk import AREA as DISK
from ops.docker.disk import COUNT_TIMEOUT, disk_readings
from ops.docker.engine import CONNECT_TIMEOUT, FAILURES, Engine, connect, engine_failures, is_here
from ops.docker.images import image_references
from ops.docker.readings import container_readings
from ops.docker.removed import removed_from_docker
from ops.docker.tunnel import local_target, tunnelled
from ops.errors import OpsError
from ops.finding import Finding
from ops.health.model import Reading
from ops.inventory import Inventory
from ops.kafka.tools import ContainerTools, Tools
from ops.outputs import StackOutputs
from ops.project import DEFAULT_DOCKER_HOST, Stack
from ops.pulumi.python import check_python
from ops.pulumi.toolchain import Choice, choose
from ops.sites.model import Examination

STOP_SECONDS = 120
"""Longest that stopping a container takes: a broker is killed after a minute."""

ARCHIVE_SECONDS = 600
"""Longest silence of the engine while it reads or writes a volume."""


class DockerSite:
    """A stack's Docker Engine."""

    def __init__(self, stack: Stack) -> None:
        """Name the stack; nothing is contacted."""
        self._stack = stack

    def examine(self) -> Examination:
        """See ``Site``; an engine that the lab will start is examined afterwards."""
        stack = self._stack
        python = check_python()
        try:
            engine = connect(stack.docker_host)
        except OpsError as error:
            choice = self._choice(None)
            comes = choice.lab and stack.docker_host == DEFAULT_DOCKER_HOST
            away = Finding(
                name="Docker Engine",
                status="warn" if comes else "fail",
                found=error.message,
                advice="make up starts the lab's" if comes else error.advice,
            )
            later = (lambda: self._findings(connect(stack.docker_host))) if comes else None
            return Examination(findings=[python, away], choice=choice, later=later)
        return Examination(findings=[python, *self._findings(engine)], choice=self._choice(engine))

    def choose(self) -> Choice:
        """See ``Site``."""
        try:
            return self._choice(connect(self._stack.docker_host))
        except OpsError:
            return self._choice(None)

    @contextmanager
    def reached(self, outputs: StackOutputs, *, usual_ports: bool = False) -> Iterator[StackOutputs]:
        """See ``Site``; OTLP without TLS, and through SSH what another machine publishes for itself only."""
        host, addresses = self._stack.docker_host, host_addresses(self._stack.settings)
        plain = {
            "otlp_grpc_endpoint": addresses.otlp_grpc.url,
            "otlp_http_endpoint": addresses.otlp_http.url,
        }
        values = {**outputs.values, **(plain if addresses.tls is not None else {})}
        inside = {name: target for name, value in values.items() if (target := local_target(value))}
        if is_here(host) or not inside:
            yield StackOutputs(values)
            return
        with tunnelled(host, list(dict.fromkeys(inside.values())), same_ports=usual_ports) as ports:
            opened = {
                name: f"http://{LOOPBACK}:{ports[target]}{urlsplit(str(values[name])).path}"
                for name, target in inside.items()
            }
            yield StackOutputs({**values, **opened})

    def readings(self, inventory: Inventory) -> Iterable[Reading]:
        """See ``Site``; what the disk holds is counted for minutes where it is much."""
        stack = self._stack

        def programs(engine: Engine) -> Iterable[Reading]:
            return container_readings(engine.client, inventory, stack=stack.name)

        def disk(engine: Engine) -> Iterable[Reading]:
            return disk_readings(engine, stack.settings, inventory.data_volumes)

        yield from self._read("programs", "containers", programs)
        yield from certificate_readings(stack.settings)
        yield from self._read(DISK, "volumes", disk, timeout=COUNT_TIMEOUT)

    def _read(
        self,
        area: str,
        name: str,
        read: Callable[[Engine], Iterable[Reading]],
        *,
        timeout: int = CONNECT_TIMEOUT,
    ) -> list[Reading]:
        """Read one area; one that the engine does not tell in time is unknown, and the others are not."""
        try:
            with engine_failures():
                return list(read(connect(self._stack.docker_host, timeout=timeout)))
        except OpsError as error:
            found, advice = error.message, error.advice
        return [Reading(area=area, name=name, status="unknown", found=found, advice=advice)]

    def removed(self, resources: Iterable[Mapping[str, Any]]) -> list[str]:
        """See ``Site``."""
        with engine_failures():
            return removed_from_docker(connect(self._stack.docker_host).client, resources)

    def declared_outputs(self) -> StackOutputs | None:
        """See ``Site``; the state has them."""
        return None

    def kafka(self) -> Tools:
        """See ``Site``."""
        return ContainerTools(self._stack)

    def password(self) -> str | None:
        """See ``Site``; the state has it."""
        return None

    def data(self, inventory: Inventory) -> str:
        """See ``Site``."""
        return f"the volumes {', '.join(inventory.data_volumes)}"

    def stop_peers(self, inventory: Inventory) -> None:
        """See ``Site``; the engine removes brokers one after the other, the last without a quorum."""
        names = brokers_of(inventory.programs)
        if len(names) > 1:
            with engine_failures():
                stop_together(connect(self._stack.docker_host, timeout=STOP_SECONDS), names)

    def forget_data(self) -> None:
        """See ``Site``; the engine has removed the volumes."""

    def volumes(self) -> Volumes:
        """See ``Site``."""
        engine = connect(self._stack.docker_host, timeout=ARCHIVE_SECONDS)
        return Volumes(engine.client, image_references(self._stack.settings))

    def log_of(self, program: str) -> str:
        """See ``Site``."""
        return f"docker logs {program}"

    def ways_in(self) -> str:
        """See ``Site``."""
        return ""

    def _choice(self, engine: Engine | None) -> Choice:
        images = image_references(self._stack.settings)
        try:
            return choose(engine, images)
        except FAILURES:
            return choose(None, images)

    def _findings(self, engine: Engine) -> list[Finding]:
        try:
            with engine_failures():
                return self._checked(engine)
        except OpsError as error:
            found, advice = error.message, error.advice
        return [Finding(name="Docker Engine", status="fail", found=found, advice=advice)]

    def _checked(self, engine: Engine) -> list[Finding]:
        settings = self._stack.settings
        missing = engine.missing_images(image_references(settings))
        return [
            check_engine(engine),
            *check_ports(settings, engine),
            check_memory(settings, engine, running=bool(own_containers(engine))),
            check_disk(settings, engine, missing),
            *check_brokers(engine, settings),
        ]
