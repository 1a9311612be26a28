"""Phase 4's objects: what holds for every stack, where secrets are, who finds whom."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from components.buckets.names import STORES
from tests.kubernetes.edges import EVERY_PORT, allowed
from tests.kubernetes.rules import RULES
from tests.kubernetes.rules.network import DIRECTIONS
from tests.support.manifests import Tree, tree
from tests.support.phase4 import broken, objects_of, result_of
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("variant", OBJECT_VARIANTS)
def test_rules_of_every_stack(variant: str, rule: str) -> None:
    assert list(broken(objects_of(variant), rule)) == []


def test_what_is_rendered_for_git_has_no_secret() -> None:
    assert objects_of("phase4-render").of("Secret") == []


@pytest.mark.parametrize("variant", OBJECT_VARIANTS)
def test_no_secret_is_in_a_text(variant: str) -> None:
    result, found = result_of(variant), objects_of(variant)
    for one in found.of("ConfigMap"):
        assert "generated-" not in json.dumps(one["data"]), one["metadata"]["name"]
    for pod in found.programs():
        assert "generated-" not in json.dumps(pod.object), pod.name
        for key in ("access_key", "secret_key", "access_key_id", "secret_access_key"):
            assert not any(f"{key}:" in text for text in found.files(pod).values()), f"{pod.name}: {key}"
    assert "generated-" not in str({key: str(value) for key, value in result.outputs.items()})


def test_credentials_of_a_bucket_come_as_a_file(phase4_small: Tree) -> None:
    for name in ("tempo", "mimir", "loki-cluster"):
        found = phase4_small.program(name)
        path = found.environment()["AWS_SHARED_CREDENTIALS_FILE"]
        assert path == f"/etc/{name.partition('-')[0]}/secrets/credentials"
        sources = found.pod["volumes"][0]["projected"]["sources"]
        assert {"key": "credentials", "path": "secrets/credentials", "mode": 0o440} in [
            item for source in sources if "secret" in source for item in source["secret"]["items"]
        ]


def test_a_pod_gets_the_secret_of_its_store_only() -> None:
    own = {store: f"s3-{store}" for store in STORES}
    small = OBJECT_VARIANTS["phase4-small"]
    service = {**small["objectStorage"]["s3"], "credentialsSecret": None, "storeSecrets": own}
    config = {**small, "objectStorage": {**small["objectStorage"], "s3": service}}
    given = tree(run_program(config), config)
    users = {"tempo": "tempo", "mimir": "mimir", "loki-cluster": "loki", "postgres-backup": "backups"}
    for program in given.programs():
        mounted = set(re.findall(r"s3-[a-z]+", json.dumps(program.pod)))
        assert mounted == ({own[users[program.name]]} if program.name in users else set()), program.name


MEMBERS = ("tempo", "mimir", "loki-cluster")
PARTS = {
    "tempo": (
        "tempo",
        "tempo-distributor",
        "tempo-querier",
        "tempo-query-frontend",
        "tempo-compactor",
        "tempo-metrics-generator",
    ),
    "mimir": ("mimir", "mimir-read", "mimir-backend"),
    "loki": ("loki-cluster", "loki-read", "loki-backend"),
}


def talking(found: Tree, direction: str, port: int, transport: str) -> set[tuple[str, str]]:
    """Give who may connect to whom on a port, as the policies of one direction say."""
    edges = allowed(found, direction, transport)
    return {(edge.source, edge.target) for edge in edges if edge.port in (port, EVERY_PORT)}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("variant", "groups"),
    [("phase4-small", [(name,) for name in MEMBERS]), ("phase4-split", list(PARTS.values()))],
    ids=["single", "split"],
)
def test_replicas_of_a_store_find_each_other_and_no_other_stores(
    variant: str, groups: list[tuple[str, ...]], direction: str
) -> None:
    """Each finds all parts of its own store, itself included."""
    found = objects_of(variant)
    pairs = {pair for names in groups for pair in itertools.product(names, names)}
    assert talking(found, direction, 7946, "TCP") == pairs
    assert talking(found, direction, 7946, "UDP") == set()


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("transport", ["TCP", "UDP"])
def test_replicas_of_grafana_tell_only_each_other_which_alerts_they_have_sent(
    phase4_small: Tree, transport: str, direction: str
) -> None:
    assert talking(phase4_small, direction, 9094, transport) == {("grafana", "grafana")}


def test_dumps_go_into_the_bucket_for_backups(phase4_small: Tree) -> None:
    dumper, uploader = phase4_small.program("postgres-backup").containers
    assert dumper["image"].startswith("postgres:")
    assert uploader["image"].startswith("amazon/aws-cli:")
    assert dumper["volumeMounts"] == uploader["volumeMounts"]
    variables = {one["name"]: one.get("value") for one in uploader["env"]}
    assert variables["BUCKET"] == "acme-dev-backups"
    assert variables["AWS_SHARED_CREDENTIALS_FILE"] == "/etc/postgres-backup/secrets/credentials"
