"""Addresses of programs that publish none: a proxy in the stack's network forwards connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.support.containers import archive
from tests.support.docker_site import Site

NETWORK = "observability"
NAME = "drill-doors"
FOLDER, FILE = "/usr/local/etc/haproxy", "doors.cfg"
FIRST_PORT = 10001
_HEAD = """\
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
"""


@contextmanager
def doors(site: Site, inside: Sequence[tuple[str, int]]) -> Iterator[Mapping[tuple[str, int], str]]:
    """Make ports of programs reachable; give for each program and port the ``host:port`` outside."""
    own = range(FIRST_PORT, FIRST_PORT + len(inside))
    proxy = site.client.containers.create(
        site.container("haproxy").attrs["Config"]["Image"],
        command=["haproxy", "-W", "-db", "-f", f"{FOLDER}/{FILE}"],
        name=NAME,
        network=NETWORK,
        ports={f"{port}/tcp": (site.address, 0) for port in own},
    )
    try:
        listens = [
            f"listen door-{port}\n    bind :{port}\n    server inside {name}:{number}\n"
            for port, (name, number) in zip(own, inside, strict=True)
        ]
        proxy.put_archive(FOLDER, archive({FILE: "".join([_HEAD, *listens])}))
        proxy.start()
        proxy.reload()
        published = proxy.attrs["NetworkSettings"]["Ports"]
        yield {
            door: f"{site.address}:{published[f'{port}/tcp'][0]['HostPort']}"
            for port, door in zip(own, inside, strict=True)
        }
    finally:
        proxy.remove(force=True)
