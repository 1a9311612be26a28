"""The table of programs that the lab builds: what, from which module, at which version, how."""

from __future__ import annotations

from pathlib import Path

from tests.lab import store
from tests.lab.cluster_programs import CLUSTER_PROGRAMS
from tests.lab.errors import LabError
from tests.lab.goprogram import GoProgram
from tests.lab.storage_programs import STORAGE_PROGRAMS

KAFKA_VERSION = "4.3.1"
GRAFANA_VERSION = "13.2.1"

NO_DISCOVERY = "remove_all_sd"
"""Leaves out Prometheus's service discoveries, each with its cloud's SDK, except those that tags name."""

PULUMI = GoProgram(
    name="pulumi",
    version="3.230.0",
    module="github.com/pulumi/pulumi/pkg/v3",
    module_version="v3.230.0",
    binaries={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    strings={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.230.0"},
    disk_gb=0.1,
    scratch_gb=2.6,
)
COLLECTOR_BUILDER = GoProgram(
    name="builder",
    version="0.155.0",
    module="go.opentelemetry.io/collector/cmd/builder",
    module_version="v0.155.0",
    binaries={"builder": "go.opentelemetry.io/collector/cmd/builder"},
    disk_gb=0.01,
    scratch_gb=0.1,
)
PROMETHEUS = GoProgram(
    name="prometheus",
    version="3.16.0",
    module="github.com/prometheus/prometheus",
    module_version="v0.316.0",
    binaries={
        "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
        "promtool": "github.com/prometheus/prometheus/cmd/promtool",
    },
    strings={"github.com/prometheus/common/version.Version": "3.16.0"},
    tags=(NO_DISCOVERY, "enable_dns_sd", "enable_kubernetes_sd"),
    disk_gb=0.4,
    scratch_gb=3.5,
)
LOKI = GoProgram(
    name="loki",
    version="3.7.8",
    module="github.com/grafana/loki/v3",
    module_version="v3.7.8",
    binaries={"loki": "github.com/grafana/loki/v3/cmd/loki"},
    strings={
        "github.com/grafana/loki/v3/pkg/util/build.Version": "3.7.8",
        "github.com/grafana/loki/v3/pkg/util/build.Branch": "HEAD",
    },
    disk_gb=0.3,
    scratch_gb=3.1,
)
JAEGER = GoProgram(
    name="jaeger",
    version="2.13.0",
    module="github.com/jaegertracing/jaeger",
    module_version="v1.76.0",
    binaries={"jaeger": "github.com/jaegertracing/jaeger/cmd/jaeger"},
    strings={"github.com/jaegertracing/jaeger/internal/version.latestVersion": "v2.13.0"},
    disk_gb=0.1,
    scratch_gb=2.6,
)

GO_PROGRAMS: tuple[GoProgram, ...] = (
    PULUMI,
    PROMETHEUS,
    LOKI,
    JAEGER,
    *CLUSTER_PROGRAMS,
    *STORAGE_PROGRAMS,
)

COLLECTOR_NAME = "otelcol-contrib"
COLLECTOR_VERSION = "0.155.0"


def program_folder(name: str, version: str) -> Path:
    """Where a program of this version is kept."""
    return store.root() / "bin" / f"{name}-{version}"


def binary_path(name: str) -> Path:
    """Where a program is, or will be once it is built.

    Raises:
        LabError: when no program of the table has this name.
    """
    folders = {
        COLLECTOR_NAME: program_folder(COLLECTOR_NAME, COLLECTOR_VERSION),
        "grafana": program_folder("grafana", GRAFANA_VERSION),
    }
    for program in (*GO_PROGRAMS, COLLECTOR_BUILDER):
        folders.update({binary: program_folder(program.name, program.version) for binary in program.binaries})
    if name not in folders:
        raise LabError(f"the lab has no program {name!r}; it has: {', '.join(sorted(folders))}")
    return folders[name] / name


def kafka_path() -> Path:
    """Where Kafka is, or will be once it is fetched."""
    return store.root() / f"kafka-{KAFKA_VERSION}"
