"""Builds otelcol-contrib with the project's own builder from the components that the Go registry holds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.lab import cache, gobuild, store
from tests.lab.programs import (
    COLLECTOR_BUILDER,
    COLLECTOR_NAME,
    COLLECTOR_VERSION,
    NO_DISCOVERY,
    program_folder,
)
from tests.lab.progress import run, step

_CORE = "go.opentelemetry.io/collector"
_CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib"
_PROVIDER_VERSION = "v1.61.0"
_GO_VERSION = "1.25"
_TAGS = (NO_DISCOVERY,)

COMPONENTS: dict[str, tuple[str, ...]] = {
    "receivers": (
        f"{_CORE}/receiver/otlpreceiver",
        f"{_CONTRIB}/receiver/kafkareceiver",
        f"{_CONTRIB}/receiver/prometheusreceiver",
    ),
    "processors": (
        f"{_CORE}/processor/batchprocessor",
        f"{_CORE}/processor/memorylimiterprocessor",
        f"{_CONTRIB}/processor/attributesprocessor",
        f"{_CONTRIB}/processor/deltatocumulativeprocessor",
        f"{_CONTRIB}/processor/filterprocessor",
        f"{_CONTRIB}/processor/k8sattributesprocessor",
        f"{_CONTRIB}/processor/probabilisticsamplerprocessor",
        f"{_CONTRIB}/processor/redactionprocessor",
        f"{_CONTRIB}/processor/resourceprocessor",
        f"{_CONTRIB}/processor/tailsamplingprocessor",
        f"{_CONTRIB}/processor/transformprocessor",
    ),
    "exporters": (
        f"{_CORE}/exporter/debugexporter",
        f"{_CORE}/exporter/otlpexporter",
        f"{_CORE}/exporter/otlphttpexporter",
        f"{_CONTRIB}/exporter/fileexporter",
        f"{_CONTRIB}/exporter/kafkaexporter",
        f"{_CONTRIB}/exporter/prometheusremotewriteexporter",
    ),
    "connectors": (f"{_CONTRIB}/connector/spanmetricsconnector",),
    "extensions": (
        f"{_CORE}/extension/zpagesextension",
        f"{_CONTRIB}/extension/basicauthextension",
        f"{_CONTRIB}/extension/bearertokenauthextension",
        f"{_CONTRIB}/extension/healthcheckextension",
        f"{_CONTRIB}/extension/healthcheckv2extension",
        f"{_CONTRIB}/extension/pprofextension",
        f"{_CONTRIB}/extension/storage/filestorage",
    ),
}
_SCHEMES = ("env", "file", "http", "https", "yaml")
PROVIDERS = tuple(f"{_CORE}/confmap/provider/{scheme}provider" for scheme in _SCHEMES)


def manifest(output: Path) -> dict[str, object]:
    """The builder's manifest for a main package in ``output``; JSON is YAML, so it is written as JSON."""
    parts: dict[str, object] = {
        kind: [{"gomod": f"{module} v{COLLECTOR_VERSION}"} for module in modules]
        for kind, modules in COMPONENTS.items()
    }
    return {
        "dist": {
            "name": COLLECTOR_NAME,
            "description": "OpenTelemetry Collector Contrib, built from its published Go modules",
            "version": COLLECTOR_VERSION,
            "module": f"otel-stack-lab/{COLLECTOR_NAME}",
            "output_path": str(output),
        },
        **parts,
        "providers": [{"gomod": f"{module} {_PROVIDER_VERSION}"} for module in PROVIDERS],
    }


def recipe() -> str:
    """A digest of the modules and their versions; a different one causes a rebuild."""
    return hashlib.sha256(f"{go_mod()}{_TAGS}".encode()).hexdigest()


def target() -> Path:
    """The folder of the built collector."""
    return program_folder(COLLECTOR_NAME, COLLECTOR_VERSION)


def is_built() -> bool:
    """True when the collector of these modules is in the cache."""
    return store.is_done(target(), recipe())


def build() -> None:
    """Generate the collector's main package and compile it.

    The builder writes no ``go.mod`` without fetching modules, and its fetching ends in ``go mod tidy``, which
    needs the test dependencies of every module; the registry does not hold those. So the requirements are
    written here, and Go completes them for the packages that are compiled.

    Raises:
        LabError: when the builder or Go fails.
    """
    gobuild.build(COLLECTOR_BUILDER)
    log = store.log_file(COLLECTOR_NAME)
    log.write_text("")
    with step(f"build {COLLECTOR_NAME} {COLLECTOR_VERSION}", gobuild.disk_left):
        source = _generate(log)
        store.fill(target(), recipe(), lambda out: _compile(source, out, log))
    gobuild.spare_disk()


def go_mod() -> str:
    """The ``go.mod`` of the generated package: every component at the collector's version."""
    wanted = [f"{module} v{COLLECTOR_VERSION}" for modules in COMPONENTS.values() for module in modules]
    wanted += [f"{module} {_PROVIDER_VERSION}" for module in PROVIDERS]
    wanted.append(f"{_CORE}/otelcol v{COLLECTOR_VERSION}")
    requires = "".join(f"\t{line}\n" for line in wanted)
    return f"module otel-stack-lab/{COLLECTOR_NAME}\n\ngo {_GO_VERSION}\n\nrequire (\n{requires})\n"


def _generate(log: Path) -> Path:
    source = store.folder("build") / COLLECTOR_NAME
    store.remove(source)
    source.mkdir()
    description = source / "manifest.yaml"
    description.write_text(json.dumps(manifest(source), indent=2))
    options = ["--skip-get-modules", "--skip-compilation", f"--config={description}"]
    run([cache.binary("builder"), *options], log, cwd=source, env=gobuild.go_environment())
    (source / "go.mod").write_text(go_mod())
    return source


def _compile(source: Path, out: Path, log: Path) -> None:
    gobuild.compile_packages(["."], out / COLLECTOR_NAME, log, cwd=source, tags=_TAGS)
