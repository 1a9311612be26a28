"""Fills Kafka: sends as fast as the gateways accept."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from ops.project import ROOT

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
