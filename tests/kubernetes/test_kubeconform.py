"""kubeconform takes every object, as strictly as it can, with the schemas of the cluster's own version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from components.settings import Settings
from ops.project import Stack
from ops.render.gitops import ARGO_CD, FLUX, gitops_files
from tests.support.kubeconform import kubeconform
from tests.support.manifests import Tree, dump, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import ON_CLUSTER


def rendered(name: str) -> Tree:
    return tree(run_program(ON_CLUSTER[name]), ON_CLUSTER[name])


def loaded(name: str, root: Path) -> Stack:
    config = ON_CLUSTER[name]
    return Stack(
        name="git",
        project="otel-stack",
        root=root,
        config=config,
        settings=Settings.load(config),
        own_secrets=False,
        own_backend=False,
    )


@pytest.mark.parametrize("name", ON_CLUSTER)
def test_every_object_is_taken(name: str, tmp_path: Path) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text(dump(rendered(name).objects))
    assert kubeconform(file) == ""


@pytest.mark.parametrize("file", [ARGO_CD, FLUX])
def test_what_points_git_tools_at_them_is_taken(file: str, tmp_path: Path) -> None:
    stack = loaded("phase3-render", tmp_path)
    text = gitops_files(stack, tmp_path / "deploy")[file]
    (tmp_path / file).write_text(text)
    assert kubeconform(tmp_path / file) == ""


def misspelt(found: Tree) -> None:
    found.get("Service", "loki")["spec"]["sessionAffinityy"] = "None"


def of_wrong_kind(found: Tree) -> None:
    found.get("PodDisruptionBudget", "otel-gateway")["spec"]["maxUnavailable"] = True


def unheard_of(found: Tree) -> None:
    found.get("Service", "loki")["kind"] = "Servize"


@pytest.mark.parametrize(
    ("change", "message"),
    [(misspelt, "sessionAffinityy"), (of_wrong_kind, "maxUnavailable"), (unheard_of, "Servize")],
)
def test_wrong_objects_are_found(change: Callable[[Tree], None], message: str, tmp_path: Path) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text(dump(rendered("phase3-small").changed(change).objects))
    assert message in kubeconform(file)
