"""Programs that neither end nor answer: frozen with all their connections, or cut off from the network."""

from __future__ import annotations

import os
import signal as signals
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import httpx
from docker.errors import NotFound

from tests.support.docker_site import Site

LOOK_SECONDS = 1.0

Hurt = Callable[[Site, str], AbstractContextManager[None]]


@contextmanager
def frozen(site: Site, name: str) -> Iterator[None]:
    """Stop every process of a container where it is: connections stay open, nothing is read or answered."""
    listed = site.container(name).top(ps_args="-eo pid")
    processes = [int(row[listed["Titles"].index("PID")]) for row in listed["Processes"]]
    _send(processes, signals.SIGSTOP)
    try:
        yield
    finally:
        _send(processes, signals.SIGCONT)


@contextmanager
def cut_off(site: Site, name: str) -> Iterator[None]:
    """Drop every packet to and from a container, which keeps its addresses and hears of nothing."""
    process = site.container(name).attrs["State"]["Pid"]
    _drop(process, "-I")
    try:
        yield
    finally:
        if site.container(name).attrs["State"]["Pid"] == process:  # one that was restarted has a new network
            _drop(process, "-D")


def notice(site: Site, name: str, seconds: float, until: Collection[str] = ("nobody",)) -> dict[str, float]:
    """Let some seconds pass; give after how many of them who had noticed that the program does not answer.

    It ends early once all of ``until`` have. They are Docker, by its probe, and the own Prometheus, by a
    scrape and by the alert InstanceDown.
    """
    begin, noticed = time.monotonic(), dict[str, float]()
    looks = {"unhealthy": _is_unhealthy, "scrape failed": _is_not_scraped, "InstanceDown": _is_alert}
    while (passed := time.monotonic() - begin) < seconds and not noticed.keys() >= set(until):
        for what, look in looks.items():
            if what not in noticed and look(site, name):
                noticed[what] = round(time.monotonic() - begin)
        time.sleep(max(0.0, min(LOOK_SECONDS, seconds - passed)))
    return noticed


def probed_by(site: Site, name: str) -> str:
    """Name the container whose health is that of a program."""
    try:
        return str(site.container(f"{name}-ready").name)
    except NotFound:
        return name


def _is_unhealthy(site: Site, name: str) -> bool:
    return bool(site.container(probed_by(site, name)).attrs["State"]["Health"]["Status"] == "unhealthy")


def _is_not_scraped(site: Site, name: str) -> bool:
    return any(value == "0" for value in _asked(site, "up", name))


def _is_alert(site: Site, name: str) -> bool:
    return bool(_asked(site, 'ALERTS{alertname="InstanceDown",alertstate="firing"}', name))


def _asked(site: Site, query: str, name: str) -> list[str]:
    """Values of the series of a program, all replicas of it; none when Prometheus itself does not answer."""
    job = name.rstrip("0123456789").rstrip("-")
    with suppress(httpx.HTTPError):
        url = f"http://{site.address}:{site.prometheus}/api/v1/query"
        found: Any = httpx.get(url, params={"query": query}, timeout=2).json()
        return [one["value"][1] for one in found["data"]["result"] if one["metric"].get("job") == job]
    return []


def _send(processes: list[int], signal: signals.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal)


def _drop(process: int, change: str) -> None:
    for chain, direction in (("INPUT", "-i"), ("OUTPUT", "-o")):
        rule = ("iptables", "-w", change, chain, "!", direction, "lo", "-j", "DROP")
        subprocess.run(("nsenter", f"--net=/proc/{process}/ns/net", *rule), check=True, capture_output=True)
