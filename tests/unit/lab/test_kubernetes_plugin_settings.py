"""The kubernetes stand-in's own settings, and what leads to another cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes.cluster import Cluster, UnreachableError
from tests.lab.providers.kubernetes.identity import conflicting, replacing
from tests.lab.providers.kubernetes.settings import Settings, read

NOBODY = "https://127.0.0.1:9"
"""Nothing listens on the discard port."""


def kubeconfig(server: str = NOBODY, context: str = "lab") -> str:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": "one", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
        "contexts": [{"name": "lab", "context": {"cluster": "one", "user": "me"}}],
    }
    return yaml.safe_dump(content)


def replaced(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [change.path for change in replacing(old, new) if change.replaces]


def test_the_program_goes_before_the_environment() -> None:
    environment = {"KUBECONFIG": "/there", "PULUMI_K8S_DELETE_UNREACHABLE": "true"}
    assert read({}, environment).kubeconfig == "/there"
    settings = read({"kubeconfig": "/here", "deleteUnreachable": False, "namespace": "a"}, environment)
    assert (settings.kubeconfig, settings.delete_unreachable, settings.namespace) == ("/here", False, "a")


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"enableServerSideApply": False}, "enableServerSideApply=false"),
        ({"alwaysRender": True}, "alwaysRender"),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(config: dict[str, Any], named: str) -> None:
    with pytest.raises(ProviderError, match=named):
        read(config, {})


def test_files_and_a_cluster_exclude_each_other() -> None:
    assert conflicting({"renderYamlToDirectory": "out", "kubeconfig": "a", "namespace": "b"}) == [
        "kubeconfig"
    ]
    assert not conflicting({"kubeconfig": "a", "context": "b"})


def test_another_cluster_replaces_and_another_path_to_the_same_does_not(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(kubeconfig())
    same = {"kubeconfig": str(file)}
    assert replaced({"kubeconfig": kubeconfig()}, same) == []
    assert replaced(same, {"kubeconfig": kubeconfig("https://127.0.0.2:9")}) == ["kubeconfig"]
    assert replaced({"renderYamlToDirectory": "a"}, {"renderYamlToDirectory": "b"}) == [
        "renderYamlToDirectory"
    ]


def test_the_clusters_identifier_alone_decides_where_it_is_given() -> None:
    old = {"kubeconfig": kubeconfig(), "clusterIdentifier": "a"}
    moved = {"kubeconfig": kubeconfig("https://127.0.0.2:9"), "clusterIdentifier": "a"}
    assert replaced(old, moved) == []
    assert replaced(old, {**old, "clusterIdentifier": "b"}) == ["clusterIdentifier"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(kubeconfig="/nowhere/config"), "/nowhere/config"),
        (Settings(kubeconfig=kubeconfig(context="other")), "other"),
        (Settings(kubeconfig=kubeconfig(), cluster="two"), "two"),
        (Settings(kubeconfig="{}"), "cannot be used"),
        (Settings(kubeconfig=kubeconfig()), "Connection refused"),
        (Settings(kubeconfig=json.dumps(yaml.safe_load(kubeconfig())), context="lab"), NOBODY),
    ],
)
def test_a_dead_cluster_is_told_in_plain_words(settings: Settings, told: str) -> None:
    cluster = Cluster(settings)
    assert told in str(cluster.problem())
    with pytest.raises(UnreachableError, match="cluster is unreachable"):
        cluster.request("GET", "/api/v1")
