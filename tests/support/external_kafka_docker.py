"""A Kafka that is not the stack's, in a container."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from components.images import CATALOGUE
from tests.support.containers import archive, run
from tests.support.docker_engine import Engine
from tests.support.external_kafka import CONFIG, NAME, PORT, ExternalKafka, certificate, properties


@contextmanager
def running(engine: Engine) -> Iterator[ExternalKafka]:
    """Run it where the engine publishes ports; nothing of it is left afterwards."""
    address, known = engine.address, certificate(engine.address)
    ports = {f"{PORT}/tcp": (address, PORT)}
    container = engine.client.containers.create(CATALOGUE["kafka"].reference, name=NAME, ports=ports)
    try:
        container.put_archive(CONFIG, archive({"server.properties": properties(address, known)}))
        container.start()

        def execute(command: Sequence[str]) -> str:
            return run(container, *command)

        made = ExternalKafka(host=address, execute=execute, known=known)
        made.begin()
        yield made
    finally:
        container.remove(force=True, v=True)
