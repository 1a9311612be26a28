"""Run a stand-in as the process that the engine starts: print the port, serve, end quietly."""

from __future__ import annotations

import sys
from concurrent import futures

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from tests.lab.lifetime import wait_for_the_end
from tests.lab.providers.base import Provider
from tests.lab.providers.servicer import Servicer

_LARGEST_MESSAGE = 400 * 1024 * 1024
"""Bytes; the limit that the engine and the SDKs use."""

_AT_ONCE = 64
"""Operations at a time; the engine's own default is far lower, so that none waits for a thread."""

_GRACE = 30.0
"""Seconds that operations in progress get to finish."""


def start(provider: Provider, servicer: Servicer | None = None) -> tuple[grpc.Server, int]:
    """A running server of the provider on loopback, and its port; some have a servicer of their own."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=_AT_ONCE),
        options=[
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
            ("grpc.max_send_message_length", _LARGEST_MESSAGE),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer or Servicer(provider), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def serve(provider: Provider, servicer: Servicer | None = None) -> None:
    """Serve until the engine ends the process with a signal, or is gone itself."""
    server, port = start(provider, servicer)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    wait_for_the_end()
    provider.cancelled.set()
    server.stop(_GRACE).wait()
