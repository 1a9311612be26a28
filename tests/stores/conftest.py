"""One S3 service for all stores, and each store's files as phase 4 renders them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.lab import cache
from tests.lab.errors import LabError
from tests.stores.replicas import ObjectService, Store, object_service
from tests.support.lab import missing
from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

SMALL = OBJECT_VARIANTS["phase4-small"]
ENDPOINT = "minio.minio.svc:9000"
"""As the variants of phase 4 name the service."""

PURPOSES = {"tempo": ("traces",), "mimir": ("metrics", "ruler", "alertmanager"), "loki-cluster": ("logs",)}
REPLICAS = 3
MakeStore = Callable[..., Store]


def targets_of(found: Tree, prefix: str) -> dict[str, str]:
    """Give what each workload of a divided store runs."""
    return {
        one.name: next(
            arg.partition("=")[2] for arg in one.containers[0]["args"] if arg.startswith("-target=")
        )
        for one in found.programs()
        if one.name.startswith(prefix)
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these out, saying why, where the lab has not built their programs or may not name hosts."""
    reason = ""
    try:
        for name in ("minio", "tempo", "mimir", "loki"):
            cache.binary(name)
    except LabError as error:
        reason = str(error)
    if os.geteuid() != 0:
        reason = "only root may give a process a host name of its own"
    for item in items:
        if reason and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


def make_buckets(service: ObjectService) -> None:
    """Make the buckets that the files name."""
    for purposes in PURPOSES.values():
        for purpose in purposes:
            service.make(f"acme-dev-{purpose}")


@pytest.fixture(scope="session")
def rendered() -> Tree:
    return tree(run_program(SMALL), SMALL)


@pytest.fixture(scope="session")
def divided() -> Tree:
    config = {**SMALL, "stores": {"shape": "split"}}
    return tree(run_program(config), config)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectService]:
    try:
        cache.binary("minio")
    except LabError as error:
        missing(str(error))
    with object_service(tmp_path_factory.mktemp("s3")) as found:
        make_buckets(found)
        yield found


@pytest.fixture(scope="session")
def make_store(
    rendered: Tree, divided: Tree, s3: ObjectService, tmp_path_factory: pytest.TempPathFactory
) -> MakeStore:
    """Describe a store's replicas.

    ``others`` are further names in its configuration, by what they become; ``sooner`` are values in it;
    ``files`` take the place of files beside it; ``of`` and ``service`` that of the usual program and buckets.
    With ``parts`` it is a divided store: three replicas of the workload with the data, one of each other.
    """

    def make(
        name: str,
        *,
        binary: str,
        port: int,
        data: str,
        network: str,
        others: Mapping[str, str] | None = None,
        sooner: Mapping[tuple[str, ...], object] | None = None,
        files: Mapping[str, str] | None = None,
        parts: str | None = None,
        of: Tree | None = None,
        service: ObjectService = s3,
    ) -> Store:
        folder = tmp_path_factory.mktemp(name)
        found = of or (rendered if parts is None else divided)
        program = next(one for one in found.programs() if one.name == name)
        texts = {**found.files(program), **(files or {})}
        directory = next(arg for arg in program.containers[0]["args"] if arg.startswith("-config.file="))
        home, _, file = directory.partition("=")[2].rpartition("/")
        for path, text in texts.items():
            (folder / "etc" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "etc" / path).write_text(text)
        text = texts[file].replace(home, str(folder / "etc"))
        for before, after in {ENDPOINT: service.address, **(others or {})}.items():
            text = text.replace(before, after)
        configuration = yaml.safe_load(text)
        for keys, value in (sooner or {}).items():
            section = configuration
            for key in keys[:-1]:
                section = section[key]
            section[keys[-1]] = value
        targets = {} if parts is None else targets_of(divided, parts)
        names = [name] * REPLICAS + sorted(targets.keys() - {name})
        addresses = [f"{network}.{number}" for number in range(1, len(names) + 1)]
        return Store(
            name=name,
            binary=binary,
            port=port,
            data=data,
            addresses=addresses,
            configuration=configuration,
            folder=folder,
            variables={"AWS_SHARED_CREDENTIALS_FILE": str(service.credentials)},
            parts={
                address: (one, targets[one])
                for address, one in zip(addresses, names, strict=True)
                if one in targets
            },
        )

    return make
