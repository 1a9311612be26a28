"""Sends as fast as the first tier accepts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from ops.project import ROOT
from tests.support.otlp import SERVICES

CALLS = 16
SPARE_SECONDS = 180.0
"""How long the sender's start and its last calls may take."""


def fill(target: str, signal: str, *, seconds: float) -> int:
    """Send generated records of a signal to ``host:port``, and give how many were acknowledged."""
    name = f"fill-{time.time():.0f}"
    command = [sys.executable, "-m", "tests.bench.client", signal, name, target, str(seconds), str(CALLS)]
    ended = subprocess.run(
        command,
        input="\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=seconds + SPARE_SECONDS,
        check=True,
    )
    sent = int(json.loads(ended.stdout.splitlines()[-1])["acknowledged"])
    assert sent, ended.stdout
    return sent


def fill_all(target: str, *, seconds: float) -> dict[str, int]:
    """Send records of every signal at the same time; see ``fill``."""
    with ThreadPoolExecutor(max_workers=len(SERVICES)) as pool:
        sent = pool.map(lambda signal: fill(target, signal, seconds=seconds), SERVICES)
        return dict(zip(SERVICES, sent, strict=True))
