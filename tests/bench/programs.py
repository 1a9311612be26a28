"""The programs of one run: started on loopback, watched from /proc, always ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.bench import shapes
from tests.bench.shapes import LOOPBACK, Ports
from tests.lab import cache, proc
from tests.support.waiting import until

START_SECONDS, STOP_SECONDS = 90.0, 30.0
TICKS = os.sysconf("SC_CLK_TCK")
MEBIBYTE = 2**20
TOPICS = ("otlp-traces", "otlp-metrics", "otlp-logs", "otlp-traces-sampled", "otlp-dead-letters")
HEAP = "1g"


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a program has used.

    Attributes:
        cpu: seconds of processor time since it was started.
        peak: largest resident memory so far, in MiB.
    """

    cpu: float
    peak: float


@dataclass(kw_only=True)
class Program:
    """A running program.

    Attributes:
        name: for messages.
        process: the process.
        log: where it writes to.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def use(self) -> Use:
        """Look up what it has used.

        Raises:
            AssertionError: it has ended.
        """
        assert self.process.poll() is None, f"{self.name} ended; see {self.log}"
        root = Path("/proc") / str(self.process.pid)
        times = proc.stat(root)
        peak = re.search(r"VmHWM:\s+(\d+) kB", root.joinpath("status").read_text())
        assert peak is not None, f"{self.name} has no memory in {root}/status"
        return Use(cpu=(int(times[11]) + int(times[12])) / TICKS, peak=int(peak[1]) / 1024)


@dataclass(kw_only=True)
class Site:
    """Programs of one run.

    Attributes:
        folder: for their files, deleted afterwards.
        shape: whose configuration the collectors have.
        ports: where everything listens.
        running: those that run, by name.
    """

    folder: Path
    shape: str
    ports: Ports
    running: dict[str, Program] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[object], *, ready: str, **environment: str) -> Program:
        """Start a program and wait until it answers at ``ready``, a URL or ``host:port``."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        program = self.running[name] = Program(name=name, process=process, log=log)
        until(
            f"{name} (log: {log})",
            lambda: program.use() and _answers(ready),
            seconds=START_SECONDS,
            pause=0.2,
            forgive=(httpx.HTTPError,),
        )
        return program

    def stop(self, name: str) -> None:
        """End a program, by force if it does not end by itself."""
        process = self.running.pop(name).process
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def write(self, name: str, content: str) -> Path:
        """Write a file of this run."""
        path = self.folder / name
        path.write_text(content)
        return path


@contextmanager
def site(folder: Path, shape: str, ports: Ports) -> Iterator[Site]:
    """Give an empty site; whatever was started on it is ended."""
    made = Site(folder=folder, shape=shape, ports=ports)
    try:
        yield made
    finally:
        for name in reversed(list(made.running)):
            made.stop(name)


def start_kafka(site: Site) -> None:
    """Start one broker with the topics."""
    data = site.folder / "kafka"
    properties = site.write("server.properties", shapes.kafka_properties(site.ports, data))
    _tool(site, "kafka.tools.StorageTool", "format", "-t", "b3RlbC1zdGFjay1iZW5jaA", "-c", properties)
    site.start(
        "kafka",
        [*_java(f"-Xms{HEAP}", f"-Xmx{HEAP}"), "kafka.Kafka", properties],
        ready=f"{LOOPBACK}:{site.ports.kafka}",
    )
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda topic: _make_topic(site, topic), TOPICS))


def start_gateway(site: Site) -> Program:
    """Start the gateway."""
    path = site.write("gateway.yaml", shapes.gateway_text(site.shape, site.ports))
    return _collector(site, "gateway", path, site.ports.gateway_health)


def start_processor(site: Site) -> Program:
    """Start the processor."""
    folder = site.folder / "processor"
    folder.mkdir()
    path = site.write("processor.yaml", shapes.processor_text(site.shape, site.ports, folder))
    return _collector(site, "processor", path, site.ports.processor_health)


def start_stores(site: Site, signal: str) -> None:
    """Start the stores that a signal ends up in; metrics made from spans go to Prometheus."""
    ports = site.ports
    if signal == "logs":
        path = site.write("loki.yaml", shapes.loki_text(ports, site.folder / "loki"))
        command = [cache.binary("loki"), f"-config.file={path}"]
        site.start("loki", command, ready=f"http://{LOOPBACK}:{ports.loki}/ready")
        return
    if signal == "traces":
        path = site.write("jaeger.yaml", shapes.jaeger_text(ports, site.folder / "jaeger"))
        command = [cache.binary("jaeger"), "--config", path]
        site.start("jaeger", command, ready=f"http://{LOOPBACK}:{ports.jaeger_health}/status")
    path = site.write("prometheus.yaml", shapes.prometheus_text())
    command = [
        *(cache.binary("prometheus"), f"--config.file={path}"),
        f"--web.listen-address={LOOPBACK}:{ports.prometheus}",
        f"--storage.tsdb.path={site.folder / 'prometheus'}",
        *("--web.enable-otlp-receiver", "--web.enable-remote-write-receiver"),
        "--enable-feature=exemplar-storage",
    ]
    site.start("prometheus", command, ready=f"http://{LOOPBACK}:{ports.prometheus}/-/ready")


def counted(port: int, *names: str, without: str = "nothing") -> float:
    """Add up some counters that a program shows at ``/metrics``, lines with a text left out.

    A missing one counts 0.
    """
    text = httpx.get(f"http://{LOOPBACK}:{port}/metrics", timeout=10).raise_for_status().text
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if re.split(r"[{ ]", line, maxsplit=1)[0] in names and without not in line
    )


def kafka_bytes(site: Site, topic: str) -> int:
    """Bytes of a topic's records on the broker's disk."""
    return sum(path.stat().st_size for path in (site.folder / "kafka").glob(f"{topic}-*/*.log"))


def _collector(site: Site, name: str, path: Path, health: int) -> Program:
    command: list[object] = [cache.binary("otelcol-contrib"), f"--config={path}"]
    return site.start(name, command, ready=f"http://{LOOPBACK}:{health}/")


def _answers(ready: str) -> bool:
    if ready.startswith("http"):
        return httpx.get(ready, timeout=2).is_success
    host, _, port = ready.partition(":")
    shell = ["bash", "-c", f"</dev/tcp/{host}/{port}"]
    return subprocess.run(shell, capture_output=True, check=False).returncode == 0


def _make_topic(site: Site, topic: str) -> None:
    _tool(
        site,
        "org.apache.kafka.tools.TopicCommand",
        *("--bootstrap-server", f"{LOOPBACK}:{site.ports.kafka}"),
        *("--create", "--topic", topic, "--partitions", str(shapes.SETTINGS["kafka"]["partitions"])),
        *("--config", "max.message.bytes=10485760"),
    )


def _java(*options: str) -> list[str]:
    return ["java", *options, "-cp", f"{cache.kafka_home() / 'libs'}/*"]


def _tool(site: Site, program: str, *arguments: str | Path) -> None:
    command = [*_java("-Xmx256m", "-XX:TieredStopAtLevel=1"), program, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=site.folder, check=False)
    assert ended.returncode == 0, f"{program}: {ended.stdout}{ended.stderr}"
