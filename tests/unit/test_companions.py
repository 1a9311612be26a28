"""Programs that run beside another one."""

from __future__ import annotations

from dataclasses import replace

import pulumi
import pytest

from components.images import CATALOGUE
from components.platform.docker import DockerPlatform
from components.values.quantities import mebibytes
from components.workload import Companion, Port, Probe, Resources, Workload

RESOURCES = Resources(memory=mebibytes(64), reserved_memory=mebibytes(16), cpus=1)
COMPANION = Companion(
    name="upload",
    image=CATALOGUE["aws-cli"],
    probe=Probe(port=None, command=("true",)),
    resources=RESOURCES,
    entry_point=["/bin/sh"],
    args=["/etc/subject/upload.sh"],
    environment={"BUCKET": "dumps"},
)
WORKLOAD = Workload(
    name="subject",
    image=CATALOGUE["postgres"],
    probe=Probe(port=None, command=("true",)),
    resources=replace(RESOURCES, memory=mebibytes(128)),
    environment={"PGHOST": "postgres"},
    config_directory="/etc/subject",
    files={"upload.sh": ""},
    ports=[Port(name="http", number=80)],
    companions=[COMPANION],
)


def test_it_shares_files_and_not_what_the_other_one_is() -> None:
    found = COMPANION.within(WORKLOAD)
    assert (found.config_directory, found.files) == (WORKLOAD.config_directory, WORKLOAD.files)
    assert (found.name, found.image, found.resources) == ("upload", COMPANION.image, COMPANION.resources)
    assert found.environment == {"BUCKET": "dumps"}
    assert not found.ports
    assert not found.companions


def test_docker_refuses_it() -> None:
    platform = DockerPlatform.__new__(DockerPlatform)
    with pytest.raises(ValueError, match=r"subject: .* not \['upload'\] as well"):
        platform.run(WORKLOAD, parent=pulumi.Resource.__new__(pulumi.Resource))
