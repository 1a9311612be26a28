"""A stack on another machine, whose ports commands reach through an SSH that plays the machine."""

from __future__ import annotations

import http.server
import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from ops.docker.tunnel import tunnelled
from ops.errors import OpsError
from ops.outputs import StackOutputs
from ops.sites.docker import DockerSite
from tests.support.ops import checkout

HOST = "ssh://deploy@node.example:2222"
FORWARDER = """#!{python}
import re, socket, sys, threading
open({log!r}, "w").write(" ".join(sys.argv[1:]))

def copy(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)

def serve(server, target):
    while True:
        near, far = server.accept()[0], socket.create_connection(target)
        for pair in ((near, far), (far, near)):
            threading.Thread(target=copy, args=pair, daemon=True).start()

for part in sys.argv:
    if found := re.fullmatch(r"127\\.0\\.0\\.1:(\\d+):\\[(.+)\\]:(\\d+)", part):
        server = socket.create_server(("127.0.0.1", int(found[1])))
        threading.Thread(target=serve, args=(server, (found[2], int(found[3])))).start()
"""
REFUSING = "#!/bin/sh\necho 'deploy@node.example: Permission denied (publickey).' >&2\nexit 255\n"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make SSH forward ports; gives the file with what it was called with."""
    log = tmp_path / "called"
    _install(tmp_path, FORWARDER.format(python=sys.executable, log=str(log)), monkeypatch)
    return log


def _install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(script)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


@pytest.fixture
def there() -> Iterator[int]:
    """The port of a program on that machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def site(folder: Path, host: str) -> DockerSite:
    settings = {"docker": {"host": host, "advertisedHost": "otel.example.com"}}
    config = {f"otel-stack:{key}": value for key, value in settings.items()}
    return DockerSite(checkout(folder, stack=yaml.safe_dump({"config": config})))


def test_what_the_other_machine_has_for_itself_is_reached_through_ssh(
    tmp_path: Path, log: Path, there: int
) -> None:
    public = {"contract_version": "1", "otlp_grpc_endpoint": "http://otel.example.com:4317"}
    outputs = StackOutputs({**public, "traces_ui_url": f"http://127.0.0.1:{there}/ui"})
    with site(tmp_path, HOST).reached(outputs) as reached:
        url = reached.text("traces_ui_url")
        assert f":{there}/" not in url
        assert httpx.get(url).text == "/ui"
        assert {name: reached.values[name] for name in public} == public
    assert log.read_text().endswith(f":[127.0.0.1]:{there} -p 2222 deploy@node.example")
    assert "BatchMode=yes" in log.read_text()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_nothing_is_opened_for_addresses_that_everybody_reaches(tmp_path: Path, log: Path) -> None:
    outputs = StackOutputs({"contract_version": "1", "grafana_url": "http://otel.example.com:3000"})
    with site(tmp_path, HOST).reached(outputs) as reached:
        assert reached.values == outputs.values
    assert not log.exists()


@pytest.mark.usefixtures("log")
def test_a_port_that_something_else_has_here_is_told(there: int) -> None:
    """Else a command would speak to that, and take it for the stack."""
    taken = pytest.raises(OpsError, match=f"taken on this machine: port {there}")
    with taken, tunnelled(HOST, [("127.0.0.1", there)], same_ports=True):
        pytest.fail("it was opened")


def test_what_ssh_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, REFUSING, monkeypatch)
    with (
        pytest.raises(OpsError, match=r"no tunnel to the stack's ports: .*Permission denied") as refused,
        tunnelled(HOST, [("127.0.0.1", 3000)]),
    ):
        pytest.fail("it was opened")
    assert refused.value.advice.endswith("ssh -p 2222 deploy@node.example true")
