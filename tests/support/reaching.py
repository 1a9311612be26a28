"""Who gets through to whom: connections tried from pods' own networks, where the policies act."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ops.project import ROOT
from tests.kubernetes.edges import OUTSIDE, Edge
from tests.support.connections import listening, processes_of
from tests.support.kubernetes_site import Pod, program_of


def reached(pods: Sequence[Pod], strangers: Sequence[Pod]) -> set[Edge]:
    """Try every port on which a pod listens, from a pod of every program and from every stranger.

    Args:
        pods: the stack's pods.
        strangers: pods that are not part of the stack, and stand for everybody outside.

    Returns:
        The connections that opened. A pod does not try itself, nor a stranger another one.
    """
    own = {pod.uid: program_of(pod) for pod in pods}
    everybody = {pod.uid: pod for pod in (*pods, *strangers)}
    processes = processes_of(everybody)
    ends = {
        (pod.address, port): own.get(uid, OUTSIDE)
        for uid, pod in everybody.items()
        for port in listening(processes[uid])
    }

    def from_one(uid: str) -> set[Edge]:
        name, address = own.get(uid, OUTSIDE), everybody[uid].address
        tried = [end for end, target in ends.items() if end[0] != address and {name, target} != {OUTSIDE}]
        return {Edge(name, ends[end], end[1]) for end in opened(processes[uid], tried)}

    with ThreadPoolExecutor() as at_once:
        return set().union(*at_once.map(from_one, _one_each(everybody, own)))


def opened(process: Path, ends: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Try connections, to addresses and ports, from the network of a process; give those that opened.

    Args:
        process: its folder in /proc.
    """
    command = ["nsenter", f"--net={process}/ns/net", "--", sys.executable, "-m", "tests.support.knock"]
    done = subprocess.run(
        command, input=json.dumps(list(ends)), cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {(str(address), int(port)) for address, port in json.loads(done.stdout)}


def _one_each(uids: Iterable[str], programs: dict[str, str]) -> list[str]:
    """Choose one pod of each program, and all pods of none."""
    first = {programs.get(uid, uid): uid for uid in uids}
    return list(first.values())
