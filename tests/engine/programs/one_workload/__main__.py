"""One workload on the platform for Docker, with particulars that the project's own settings do not offer."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from components.images import CATALOGUE, Images
from components.platform import container_fields
from components.platform.docker import DockerPlatform
from components.values.quantities import Duration, mebibytes
from components.workload import Probe, Resources, Workload

NAME = "subject"


def workload(config: pulumi.Config) -> Workload:
    """Describe a Prometheus that is not told its memory, as programs are that are not written in Go."""
    memory = config.require_int("memory")
    return Workload(
        name=NAME,
        image=replace(CATALOGUE["prometheus"], go=False),
        args=["--config.file=/etc/subject/prometheus.yaml", "--storage.tsdb.path=/tmp"],
        config_directory="/etc/subject",
        files={"prometheus.yaml": "global:\n  scrape_interval: 15s\n"},
        probe=Probe(
            port=9090,
            path="/-/ready",
            command=tuple(config.require_object("probe")),
            start_period=Duration(1),
            interval=Duration(config.require_int("interval")),
        ),
        resources=Resources(memory=mebibytes(memory), reserved_memory=mebibytes(64), cpus=1),
    )


settings = pulumi.Config()
container_fields.START_SECONDS = settings.get_int("startSeconds") or container_fields.START_SECONDS
platform = DockerPlatform(host=settings.require("host"), images=Images(overrides={}))
parent = pulumi.ComponentResource("one-workload:index:Parent", NAME, None, platform.component_options)
platform.run(workload(settings), parent=parent)
