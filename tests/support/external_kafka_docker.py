"""A Kafka that is not the stack's, in a container."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from docker.models.containers import Container

from components.images import CATALOGUE
from tests.support.docker_engine import Engine
from tests.support.external_kafka import CONFIG, NAME, PORT, ExternalKafka, certificate, properties


@contextmanager
def running(engine: Engine) -> Iterator[ExternalKafka]:
    """Run it where the engine publishes ports; nothing of it is left afterwards."""
    address, known = engine.address, certificate(engine.address)
    ports = {f"{PORT}/tcp": (address, PORT)}
    container = engine.client.containers.create(CATALOGUE["kafka"].reference, name=NAME, ports=ports)
    try:
        container.put_archive(CONFIG, _archive(properties(address, known)))
        container.start()

        def execute(command: Sequence[str]) -> str:
            return _run(container, command)

        made = ExternalKafka(host=address, execute=execute, known=known)
        made.begin()
        yield made
    finally:
        container.remove(force=True, v=True)


def _run(container: Container, command: Sequence[str]) -> str:
    status, output = container.exec_run(list(command))
    text = b"".join([output] if isinstance(output, bytes) else output).decode(errors="replace")
    assert status == 0, f"{command[0]}: {text}"
    return text


def _archive(text: str) -> bytes:
    content, packed = text.encode(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("server.properties")
        entry.size, entry.mode = len(content), 0o644
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
