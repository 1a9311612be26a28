"""Load on a gateway by some workers, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.client import Sent
from tests.bench.programs import Site
from tests.bench.results import Loaded
from tests.bench.shapes import LOOPBACK

ROOT = Path(__file__).resolve().parent.parent.parent
SPARE_SECONDS = 60.0
"""For the calls in flight when time is up, each of which ends at its deadline."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Load on a gateway.

    Attributes:
        workers: processes, each with one connection.
        calls: that each has in flight at a time.
        seconds: for how long.
    """

    workers: int
    calls: int
    seconds: float


def put(site: Site, signal: str, wanted: Load) -> Loaded:
    """Send for some seconds; give what was acknowledged, and what that cost."""
    seconds = wanted.seconds
    tiers = [site.running["gateway"], site.running["kafka"]]
    before = [tier.use().cpu for tier in tiers]
    with _workers(site, signal, wanted) as started:
        for one in started:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        sent = [Sent(**json.loads(one.communicate(timeout=seconds + SPARE_SECONDS)[0])) for one in started]
    records = sum(one.acknowledged for one in sent)
    assert records, "nothing was acknowledged"
    gateway, kafka = (
        (tier.use().cpu - first) / records * 1e6 for tier, first in zip(tiers, before, strict=True)
    )
    times = sorted(second for one in sent for second in one.seconds)
    return Loaded(
        workers=wanted.workers,
        acknowledged=records / seconds,
        p50=times[len(times) // 2] * 1000,
        p99=times[len(times) * 99 // 100] * 1000,
        refused=sum(one.refused for one in sent),
        gateway_cpu=gateway,
        kafka_cpu=kafka,
    )


@contextmanager
def _workers(site: Site, signal: str, wanted: Load) -> Iterator[Sequence[subprocess.Popen[str]]]:
    """Give workers that are ready; none of them outlives the block."""
    target = f"{LOOPBACK}:{site.ports.otlp}"
    started = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.bench.client"),
                *(signal, f"{wanted.workers}-{number}", target, str(wanted.seconds), str(wanted.calls)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(wanted.workers)
    ]
    try:
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n", "a load worker did not start"
        yield started
    finally:
        for one in started:
            one.kill()
            one.wait()
