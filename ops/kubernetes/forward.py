"""The stack's Services on free ports of 127.0.0.1, for as long as a command needs them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager

from components.values.addresses import LOOPBACK
from ops.background import Background
from ops.kubernetes.kubectl import Kubectl
from ops.screen import say

OPEN_SECONDS = 30.0
"""Longest wait for a port to open: kubectl asks the API server and the node first."""
CHECK_SECONDS = 1.0
_OPENED = re.compile(rf"Forwarding from {re.escape(LOOPBACK)}:(\d+) -> \d+")

Target = tuple[str, int]
"""Name of a Service, and its port."""


@contextmanager
def forwarded(
    kubectl: Kubectl, services: Mapping[str, Sequence[int]], *, same_ports: bool = False
) -> Iterator[Mapping[Target, int]]:
    """Open local ports to Services.

    Args:
        kubectl: bound to their namespace.
        services: ports by Service.
        same_ports: use the Services' own numbers, not free ones, and open again what ends, as a connection
            does with the one pod that it leads to.

    Returns:
        Local port by target; a Service that cannot be reached is reported and left out.
    """
    with ExitStack() as cleanup:
        started = [
            cleanup.enter_context(closing(_Forward(kubectl, name, ports, same_ports=same_ports)))
            for name, ports in services.items()
        ]
        opened = [(one, one.wait()) for one in started]
        if same_ports:
            cleanup.enter_context(_kept_open([one for one, ports in opened if ports]))
        yield {target: port for _, ports in opened for target, port in ports.items()}


@contextmanager
def _kept_open(forwards: Sequence[_Forward]) -> Iterator[None]:
    """Open again, beside other work, whichever of them ends."""
    done = threading.Event()

    def keep() -> None:
        while not done.wait(CHECK_SECONDS):
            for one in forwards:
                one.reopen()

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _Forward:
    """One ``kubectl port-forward``."""

    def __init__(self, kubectl: Kubectl, service: str, ports: Sequence[int], *, same_ports: bool) -> None:
        self._service, self._ports = service, ports
        wanted = [f"{port if same_ports else ''}:{port}" for port in ports]
        self._program = Background(
            kubectl.command("port-forward", f"--address={LOOPBACK}", f"service/{service}", *wanted)
        )
        self._is_lost = False

    def wait(self) -> Mapping[Target, int]:
        """Wait until all ports are open; give none, and say why, when that does not happen."""
        if self._program.wait(self._is_open, OPEN_SECONDS):
            local = _OPENED.findall(self._program.said)
            return {
                (self._service, port): int(number) for port, number in zip(self._ports, local, strict=True)
            }
        lines = self._program.said.splitlines() or [f"no answer within {OPEN_SECONDS:.0f} s"]
        say(f"service/{self._service} cannot be reached: {lines[-1].removeprefix('error: ')}")
        return {}

    def reopen(self) -> None:
        """Start it again if it has ended, and say so once."""
        if self._program.has_ended:
            if not self._is_lost:
                say(f"service/{self._service}: the connection has ended; opening it again")
            self._is_lost = True
            self._program.restart()
        elif self._is_lost and self._is_open():
            say(f"service/{self._service} is open again")
            self._is_lost = False

    def close(self) -> None:
        """End it."""
        self._program.stop()

    def _is_open(self) -> bool:
        return len(_OPENED.findall(self._program.said)) == len(self._ports)
