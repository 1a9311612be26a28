"""Services of a cluster, reached through connections of a kubectl that plays one."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from ops.kubernetes import forward
from ops.outputs import StackOutputs
from ops.project import ROOT
from tests.support.ops_cluster import Cluster
from tests.support.waiting import until

OUTPUTS = StackOutputs(
    {
        "contract_version": "1",
        "otlp_grpc_endpoint": "https://otlp.example.com:443",
        "otlp_http_endpoint": "https://otlp-http.example.com:443",
        "grafana_url": "https://grafana.example.com:443",
        "traces_query_url": "http://jaeger.observability.svc:16686",
        "traces_ui_url": "http://jaeger.observability.svc:16686",
        "metrics_query_url": "http://prometheus.observability.svc:9090",
        "logs_query_url": "http://loki.observability.svc:3100",
    }
)


def test_services_are_reached_on_free_ports_for_as_long_as_needed(cluster: Cluster) -> None:
    with cluster.site().reached(OUTPUTS) as local:
        urls = [url for name, url in local.values.items() if name != "contract_version"]
        assert all(str(url).startswith("http://127.0.0.1:") for url in urls)
        assert local.text("traces_query_url") == local.text("traces_ui_url")
        ports = {int(str(url).rsplit(":", 1)[1]) for url in urls}
        for port in ports:
            socket.create_connection(("127.0.0.1", port), 5).close()
    assert len(ports) == 6
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)


def test_path_of_a_stores_address_is_kept(cluster: Cluster) -> None:
    mimir = {"metrics_query_url": "http://mimir-read.observability.svc:9009/prometheus"}
    with cluster.site().reached(StackOutputs({**OUTPUTS.values, **mimir})) as local:
        assert local.text("metrics_query_url").endswith("/prometheus")
    assert any("port-forward --address=127.0.0.1 service/mimir-read :9009" in line for line in cluster.log)


def test_service_that_cannot_be_reached_keeps_its_own_address(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.lose("loki")
    with cluster.site().reached(OUTPUTS) as local:
        assert local.text("logs_query_url") == OUTPUTS.text("logs_query_url")
        assert local.text("otlp_http_endpoint").startswith("http://127.0.0.1:")
    assert "service/loki cannot be reached: unable to forward port" in capfd.readouterr().err


def test_kubectl_that_says_nothing_is_given_up_on(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (cluster.folder / "bin" / "kubectl").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(forward, "OPEN_SECONDS", 0.3)
    with forward.forwarded(cluster.kubectl(), {"loki": [3100]}) as opened:
        assert opened == {}
    assert "service/loki cannot be reached: no answer within 0 s" in capfd.readouterr().err


def test_a_port_that_people_use_is_opened_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A connection leads to one pod, and ends with it."""
    monkeypatch.setattr(forward, "CHECK_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with forward.forwarded(cluster.kubectl(), {"loki": [port]}, same_ports=True) as opened:
        assert opened == {("loki", port): port}
        cluster.end_forwards()
        said = ""

        def is_open_again() -> bool:
            nonlocal said
            said += capfd.readouterr().err
            return "service/loki is open again" in said

        until("it to be open", is_open_again, seconds=20)
        assert said.count("the connection has ended; opening it again") == 1
        socket.create_connection(("127.0.0.1", port), 5).close()


OPEN_A_PORT = """
import signal
from pathlib import Path
from ops.__main__ import end_in_order
from ops.kubernetes.forward import forwarded
from ops.kubernetes.kubectl import Kubectl

end_in_order()
kubectl = Kubectl(program=Path({program!r}), kubeconfig=Path("k"), context="c", namespace="n")
with forwarded(kubectl, {{"loki": [3100]}}) as ports:
    print(ports["loki", 3100], flush=True)
    signal.pause()
"""


def test_ports_close_when_the_command_is_told_to_end(cluster: Cluster) -> None:
    script = OPEN_A_PORT.format(program=str(cluster.kubectl().program))
    command = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert command.stdout is not None
    port = int(command.stdout.readline())
    command.terminate()
    assert command.wait(20) == 143
    command.stdout.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
