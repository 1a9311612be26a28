"""Describes stores as a stack's files have them, but on loopback and with buckets there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stores.replicas import ObjectService, Store
from tests.support.manifests import Program, Tree

ENDPOINT = "minio.minio.svc:9000"
"""As the variants of phase 4 name the service."""

REPLICAS = 3
Values = Mapping[tuple[str, ...], object]
"""What is set in a configuration, by the keys that lead there."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A store, whichever test runs it.

    Attributes:
        workload: the one with the data.
        binary: its program; the names of all its workloads begin like that.
        port: its HTTP port.
        data: data directory in its configuration.
        asked: addresses in its configuration at which nobody answers here.
    """

    workload: str
    binary: str
    port: int
    data: str
    asked: Sequence[str] = ()


TEMPO = Kind(workload="tempo", binary="tempo", port=3200, data="/var/tempo", asked=("http://mimir:9009",))
MIMIR = Kind(workload="mimir", binary="mimir", port=9009, data="/data")
LOKI = Kind(
    workload="loki-cluster",
    binary="loki",
    port=3100,
    data="/loki",
    asked=("http://mimir:9009", "http://mimir-backend:9009"),
)


@dataclass(frozen=True, kw_only=True)
class StoreMaker:
    """Describes replicas: three of the workload with the data, one of each other where stores are divided.

    Attributes:
        objects: the stack's.
        service: where the buckets are.
        folders: makes folders for the files.
    """

    objects: Tree
    service: ObjectService
    folders: pytest.TempPathFactory

    def make(
        self,
        kind: Kind,
        network: str,
        *,
        sooner: Values | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Store:
        """Describe a store on a network, whose address is given without its last number.

        ``sooner`` are values in its configuration, ``files`` take the place of files beside that.
        """
        folder = self.folders.mktemp(kind.workload)
        program = self.objects.program(kind.workload)
        home, _, file = _argument(program, "-config.file=").rpartition("/")
        targets = self._targets(kind)
        programs = map(self.objects.program, targets or [kind.workload])
        texts = {path: text for one in programs for path, text in self.objects.files(one).items()}
        write({**texts, **(files or {})}, folder / "etc")
        text = texts[file].replace(home, str(folder / "etc"))
        for before, after in self._moved(kind, network).items():
            text = text.replace(before, after)
        names = [kind.workload] * REPLICAS + sorted(targets.keys() - {kind.workload})
        addresses = [f"{network}.{number}" for number in range(1, len(names) + 1)]
        return Store(
            name=kind.workload,
            binary=kind.binary,
            port=kind.port,
            data=kind.data,
            addresses=addresses,
            configuration=_changed(yaml.safe_load(text), sooner or {}),
            folder=folder,
            variables={"AWS_SHARED_CREDENTIALS_FILE": str(self.service.credentials(kind.binary))},
            parts={
                address: (one, targets[one])
                for address, one in zip(addresses, names, strict=True)
                if one in targets
            },
        )

    def _moved(self, kind: Kind, network: str) -> dict[str, str]:
        """Give what stands in place of the addresses in a configuration."""
        nobody = dict.fromkeys(kind.asked, f"http://{network}.99:9009")
        return {ENDPOINT: self.service.address, "0.0.0.0:431": "${POD_IP}:431", **nobody}

    def _targets(self, kind: Kind) -> dict[str, str]:
        """Give what each workload of a store runs, if it is divided into several."""
        programs = [one for one in self.objects.programs() if one.name.startswith(kind.binary)]
        return {one.name: _argument(one, "-target=") for one in programs} if len(programs) > 1 else {}


def _argument(program: Program, option: str) -> str:
    """Give the value of an option of a program's first container."""
    arguments: list[str] = program.containers[0]["args"]
    return next(one.removeprefix(option) for one in arguments if one.startswith(option))


def write(texts: Mapping[str, str], folder: Path) -> None:
    """Write files by their paths in a folder."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def _changed(configuration: dict[str, Any], values: Values) -> dict[str, Any]:
    """Set values in a configuration."""
    for keys, value in values.items():
        section = configuration
        for key in keys[:-1]:
            section = section[key]
        section[keys[-1]] = value
    return configuration
