"""Phase 4's objects: what holds for every stack, where secrets are, who gets at buckets and how."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.kubernetes.rules import RULES
from tests.support.manifests import Tree
from tests.support.phase4 import objects_of, result_of
from tests.support.variants_phase4 import OBJECT_VARIANTS

FOUND_AT_RUN_TIME = re.compile(
    r"(?P<source>[a-z]+)\S* -> (?P=source)\S*: .*"  # members of one ring, of one store, and the dumps
    r"|\S+ -> \(outside\):\d+: .*"  # buckets, contact points, databases: their addresses are in no text
    r"|\(outside\) -> (prometheus|jaeger|loki):\d+: .*"  # no output names phase 3's stores any more
)
OTHERS_SECRETS = re.compile(
    r": Secret (s3-credentials|s3-ca|slack|tickets|pagerduty|grafana-\w+|rds-ca) is not"
)


def broken(found: Tree, rule: str) -> Iterator[str]:
    for message in RULES[rule](found):
        if rule == "references_exist" and OTHERS_SECRETS.search(message):
            continue
        if rule == "allowed_edges_are_used" and FOUND_AT_RUN_TIME.match(message.partition(" is ")[0] + " "):
            continue
        yield message


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


def test_roles_belong_to_the_stores_accounts() -> None:
    result, found = result_of("phase4-aws"), objects_of("phase4-aws")
    users = {"tempo", "mimir", "loki-cluster", "postgres-backup"}
    associated = {
        one.inputs["serviceAccount"]
        for one in result.of("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    }
    assert associated == users
    for store in users:
        assert found.program(store).pod["serviceAccountName"] == store
        assert "AWS_SHARED_CREDENTIALS_FILE" not in found.program(store).environment()


@pytest.mark.parametrize(
    ("variant", "annotation"),
    [("phase4-aws", "otel-stack.io/associated-role"), ("phase4-irsa", "eks.amazonaws.com/role-arn")],
)
def test_pods_roll_with_the_role_of_their_account_and_with_how_they_get_it(
    variant: str, annotation: str
) -> None:
    """Its credentials are chosen when a pod is made, and those that it has then stay its own."""
    found = objects_of(variant)
    stores = {"tempo": "tempo", "mimir": "mimir", "loki-cluster": "loki", "postgres-backup": "backups"}
    for name, store in stores.items():
        said = {annotation: f"arn:aws:iam::123456789012:role/object-storage-{store}"}
        account = found.get("ServiceAccount", name)
        assert account["metadata"]["annotations"] == said
        assert said.items() <= found.program(name).template["metadata"]["annotations"].items()
    assert annotation not in found.program("grafana").template["metadata"]["annotations"]


@pytest.mark.parametrize(("variant", "opened"), [("phase4-aws", {80, 443}), ("phase4-irsa", {443})])
def test_the_agents_port_is_open_only_where_it_hands_out_roles(variant: str, opened: set[int]) -> None:
    found = objects_of(variant)
    for store in ("tempo", "loki-cluster", "postgres-backup"):
        policy = next(
            one for one in found.of("NetworkPolicy") if one["metadata"]["name"] == f"{store}-egress"
        )
        outside = [rule for rule in policy["spec"]["egress"] if "to" not in rule]
        assert {port["port"] for rule in outside for port in rule["ports"]} - {53} == opened, store


def test_dumps_go_into_the_bucket_for_backups(phase4_small: Tree) -> None:
    dumper, uploader = phase4_small.program("postgres-backup").containers
    assert dumper["image"].startswith("postgres:")
    assert uploader["image"].startswith("amazon/aws-cli:")
    assert dumper["volumeMounts"] == uploader["volumeMounts"]
    variables = {one["name"]: one.get("value") for one in uploader["env"]}
    assert variables["BUCKET"] == "acme-dev-backups"
    assert variables["AWS_SHARED_CREDENTIALS_FILE"] == "/etc/postgres-backup/secrets/credentials"
