"""Lab images: names, users, entry points and folders of the official ones, made without a registry."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import docker
from docker.errors import APIError, BuildError, ImageNotFound

from tests.lab import collector, contents, debian, grafana_build, maven, programs, store
from tests.lab.errors import LabError
from tests.lab.progress import say, step
from tests.lab.rootfs import RootFs

LABEL = "io.otel-stack.lab"
_ROOTFS = "rootfs.tar"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class LabImage:
    """One image: its official name and promises, and the function that fills it.

    Attributes:
        reference: the official name and tag.
        holds: what is really inside.
        phase: first phase of the stack that needs it.
        contents: fills the root file system.
        recipe: gives a digest of the program inside, so that a rebuilt program makes a new image.
    """

    reference: str
    holds: str
    phase: int
    user: str
    contents: Callable[[RootFs], None]
    recipe: Callable[[], str]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"

    def dockerfile(self) -> str:
        """The image's configuration, without the label of its recipe."""
        lines = ["FROM scratch", f"ADD {_ROOTFS} /"]
        lines += [f"ENV {name}={value}" for name, value in {"PATH": _PATH, **self.environment}.items()]
        lines += [f"EXPOSE {port}/tcp" for port in self.ports]
        if self.volumes:
            lines.append(f"VOLUME {json.dumps(self.volumes)}")
        lines += [f"USER {self.user}", f"WORKDIR {self.workdir}", f"STOPSIGNAL {self.stop_signal}"]
        if self.entrypoint:
            lines.append(f"ENTRYPOINT {json.dumps(self.entrypoint)}")
        if self.command:
            lines.append(f"CMD {json.dumps(self.command)}")
        return "".join(f"{line}\n" for line in lines)

    def digest(self) -> str:
        """A digest of everything that goes into the image."""
        parts = [
            self.dockerfile(),
            self.recipe(),
            debian.SUITE,
            *(path.read_text() for path in contents.sources()),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


IMAGES: tuple[LabImage, ...] = (
    LabImage(
        reference="otel/opentelemetry-collector-contrib:0.155.0",
        holds="otelcol-contrib 0.155.0 of selected components",
        phase=1,
        user="10001:10001",
        contents=contents.collector,
        recipe=collector.recipe,
        entrypoint=("/otelcol-contrib",),
        command=("--config", "/etc/otelcol-contrib/config.yaml"),
        ports=(4317, 4318, 55679),
    ),
    LabImage(
        reference="jaegertracing/jaeger:2.19.0",
        holds="jaeger v1.62.0, cmd/jaeger",
        phase=1,
        user="10001",
        contents=contents.jaeger,
        recipe=lambda: programs.JAEGER.recipe,
        entrypoint=("/cmd/jaeger/jaeger-linux",),
        environment={"JAEGER_LISTEN_HOST": "0.0.0.0"},
        ports=(4317, 4318, 5778, 5779, 9411, 13132, 13133, 14250, 14268, 16686),
        volumes=("/tmp",),  # noqa: S108 (a path in the image)
    ),
    LabImage(
        reference="prom/prometheus:v3.16.0",
        holds="prometheus 3.16.0 without its web pages",
        phase=1,
        user="nobody",
        contents=contents.prometheus,
        recipe=lambda: programs.PROMETHEUS.recipe,
        entrypoint=("/bin/prometheus",),
        command=("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
        workdir="/prometheus",
        ports=(9090,),
        volumes=("/prometheus",),
    ),
    LabImage(
        reference="grafana/loki:3.7.8",
        holds="loki 3.7.8",
        phase=1,
        user="10001",
        contents=contents.loki,
        recipe=lambda: programs.LOKI.recipe,
        entrypoint=("/usr/bin/loki",),
        command=("-config.file=/etc/loki/local-config.yaml",),
        ports=(3100,),
    ),
    LabImage(
        reference="grafana/grafana:13.2.0",
        holds="the lab's stand-in for Grafana",
        phase=1,
        user="472",
        contents=contents.grafana,
        recipe=grafana_build.recipe,
        entrypoint=("/run.sh",),
        workdir="/usr/share/grafana",
        environment={
            "PATH": f"/usr/share/grafana/bin:{_PATH}",
            "GF_PATHS_CONFIG": "/etc/grafana/grafana.ini",
            "GF_PATHS_DATA": "/var/lib/grafana",
            "GF_PATHS_HOME": "/usr/share/grafana",
            "GF_PATHS_LOGS": "/var/log/grafana",
            "GF_PATHS_PLUGINS": "/var/lib/grafana/plugins",
            "GF_PATHS_PROVISIONING": "/etc/grafana/provisioning",
        },
        ports=(3000,),
    ),
    LabImage(
        reference="apache/kafka:4.3.1",
        holds="kafka 4.3.1 on a Java 17 runtime of Debian",
        phase=2,
        user="appuser",
        contents=contents.kafka,
        recipe=maven.pom,
        command=("/etc/kafka/docker/run",),
        environment={"JAVA_HOME": "/usr/lib/jvm/java-17-openjdk-amd64", "LANG": "C.UTF-8"},
        ports=(9092,),
        volumes=("/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"),
    ),
    LabImage(
        reference="haproxy:3.2.18-alpine",
        holds="haproxy 2.6 of Debian",
        phase=2,
        user="haproxy",
        contents=contents.haproxy,
        recipe=lambda: "haproxy",
        entrypoint=("docker-entrypoint.sh",),
        command=("haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"),
        workdir="/var/lib/haproxy",
        stop_signal="SIGUSR1",
    ),
)


def missing(client: docker.DockerClient, phase: int) -> list[LabImage]:
    """The images of these phases that the engine lacks, or has from an older recipe of the lab.

    An image under the same name that the lab did not make is the official one and is kept.
    """
    return [image for image in IMAGES if image.phase <= phase and not _is_there(client, image)]


def build(client: docker.DockerClient, image: LabImage) -> None:
    """Build one image in the engine.

    Raises:
        LabError: when the engine cannot build it, or a program for it has not been built.
    """
    labels = {LABEL: "true", f"{LABEL}.holds": image.holds, f"{LABEL}.recipe": image.digest()}
    context = store.folder("images") / re.sub("[/:]", "_", image.reference)
    with step(f"image {image.reference} ({image.holds})"):
        store.remove(context)
        context.mkdir()
        (context / "Dockerfile").write_text(image.dockerfile())
        with RootFs(context / _ROOTFS) as root:
            image.contents(root)
        try:
            client.images.build(path=str(context), tag=image.reference, labels=labels, rm=True, nocache=True)
        except (APIError, BuildError) as error:
            raise LabError(f"the Docker Engine did not build {image.reference}: {error}") from error
        finally:
            store.remove(context)


def drop_outdated(client: docker.DockerClient) -> None:
    """Delete the lab's images that a newer build has taken the name of and no container uses."""
    client.images.prune(filters={"dangling": True, "label": LABEL})


def _is_there(client: docker.DockerClient, image: LabImage) -> bool:
    try:
        labels = client.images.get(image.reference).labels
    except ImageNotFound:
        return False
    if LABEL not in labels:
        say(f"image {image.reference}: the engine has the official one, which is kept")
        return True
    return bool(labels.get(f"{LABEL}.recipe") == image.digest())
