"""One load worker: a process with one connection that always has some calls in flight.

``python -m tests.bench.client SIGNAL NAME HOST:PORT SECONDS CALLS`` waits for a line on standard input, sends
for that long with that many calls in flight, and prints the outcome as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

import grpc

from tests.bench.payloads import RECORDS, Template, template
from tests.support.otlp import ANSWERS, DEADLINE_SECONDS, SERVICES

Call: TypeAlias = Callable[..., Any]

PAUSE_SECONDS = 0.05
"""How long a sender waits after an error."""


@dataclass(kw_only=True)
class Sent:
    """What one worker, or one of its senders, has sent.

    Attributes:
        acknowledged: records that were answered OK.
        refused: calls that were answered with an error, or not in time.
        seconds: how long each acknowledged call took.
    """

    acknowledged: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)


def main(signal: str, name: str, target: str, seconds: float, calls: int) -> None:
    """Send for some seconds and print the outcome."""
    sent = [Sent() for _ in range(calls)]
    templates = [template(signal, f"{name}-{number}") for number in range(calls)]
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        call: Call = channel.unary_unary(SERVICES[signal], response_deserializer=ANSWERS[signal].FromString)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=_send, args=(call, source, mine, end))
            for source, mine in zip(templates, sent, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    whole = Sent(
        acknowledged=sum(one.acknowledged for one in sent),
        refused=sum(one.refused for one in sent),
        seconds=[second for one in sent for second in one.seconds],
    )
    sys.stdout.write(json.dumps(asdict(whole)) + "\n")


def _send(call: Call, source: Template, sent: Sent, end: float) -> None:
    while (begin := time.monotonic()) < end:
        if _was_taken(call, source.next()):
            sent.acknowledged += RECORDS
            sent.seconds.append(round(time.monotonic() - begin, 5))
        else:
            sent.refused += 1
            threading.Event().wait(PAUSE_SECONDS)


def _was_taken(call: Call, request: bytes) -> bool:
    try:
        call(request, timeout=DEADLINE_SECONDS)
    except grpc.RpcError:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))
