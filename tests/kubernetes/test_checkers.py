"""Every configuration that a pod finds is taken by its own program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.images import CATALOGUE
from tests.kubernetes.edges import expanded
from tests.kubernetes.rules.pods import image_of
from tests.support.checkers import Checker, Configured
from tests.support.docker_engine import Engine
from tests.support.manifests import Program, Tree, config_sources, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import ON_CLUSTER

ANY_SECRET = "of-this-test"
"""In place of every secret: no checker looks at what it is."""

DATABASE = "GF_DATABASE_"
"""Variables of a database that is not there: Grafana starts on one of its own."""

NAMES = {image.repository: name for name, image in CATALOGUE.items()}


@pytest.fixture(scope="module")
def checker(docker_engine: Engine) -> Checker:
    return Checker(engine=docker_engine)


def configured(found: Tree) -> Iterator[Configured]:
    """Find every program that has configuration files, with what its pod would find."""
    for program in found.programs():
        container = program.containers[0]
        directory = next(one["mountPath"] for one in container["volumeMounts"] if one["name"] == "config")
        pod = {"REPLICA": f"{program.name}-1", "REPLICA_NUMBER": "1", "POD_IP": "127.0.0.1"}
        yield Configured(
            program=NAMES[image_of(program).repository],
            directory=directory,
            files={**found.files(program), **secrets(program)},
            command=container["args"],
            environment=[
                f"{name}={value}"
                for name, value in expanded(program, **pod).items()
                if not name.startswith(DATABASE)
            ],
        )


def secrets(program: Program) -> dict[str, str]:
    return {
        item["path"]: ANY_SECRET
        for source in config_sources(program)
        for item in source.get("secret", {}).get("items", [])
    }


@pytest.mark.parametrize("name", ON_CLUSTER)
def test_rendered_files(checker: Checker, name: str) -> None:
    config: dict[str, Any] = {key: value for key, value in ON_CLUSTER[name].items() if key != "images"}
    checker.require_accepted(list(configured(tree(run_program(config), config))))
