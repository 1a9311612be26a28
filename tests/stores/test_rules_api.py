"""Mimir with ``stores.mimir.rules: api``: its rules are those that teams load into its ruler bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.stores.conftest import SMALL
from tests.stores.making import MIMIR, StoreMaker
from tests.stores.replicas import TENANT, ObjectService, Store
from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.waiting import until

pytestmark = pytest.mark.long

BUCKET = "acme-dev-ruler"
TEAM = "checkout"
GROUP = {"name": "orders", "rules": [{"record": "team:answer", "expr": "vector(42)"}]}
SEEN_SECONDS = 120.0
NOT_YET = (httpx.HTTPError,)


@pytest.fixture(scope="module")
def mimir(stores: StoreMaker) -> Iterator[Store]:
    config = {**SMALL, "stores": {"mimir": {"rules": "api"}}}
    there = replace(stores, objects=tree(run_program(config), config))
    store = there.make(MIMIR, "127.0.58", sooner={("ruler", "evaluation_interval"): "5s"})
    try:
        store.begin_all()
        yield store
    finally:
        store.end()


def load(mimir: Store, namespace: str, group: Any) -> httpx.Response:
    """Load a group as ``mimirtool rules load`` does."""
    url = f"{mimir.url()}/prometheus/config/v1/rules/{namespace}"
    return httpx.post(url, content=yaml.safe_dump(group), headers=TENANT, timeout=30)


def evaluated(mimir: Store) -> dict[str, dict[str, Any]]:
    """Give the rules of all groups by name, as any replica tells them."""
    answer = httpx.get(f"{mimir.url(mimir.addresses[2])}/prometheus/api/v1/rules", headers=TENANT, timeout=30)
    groups = answer.raise_for_status().json()["data"]["groups"]
    return {rule["name"]: rule for group in groups for rule in group["rules"]}


def samples(mimir: Store, query: str) -> list[Any]:
    url = f"{mimir.url()}/prometheus/api/v1/query"
    answer = httpx.get(url, params={"query": query}, headers=TENANT, timeout=30)
    found: list[Any] = answer.raise_for_status().json()["data"]["result"]
    return found


def test_a_teams_rules_are_evaluated_changed_and_deleted(mimir: Store, s3: ObjectService) -> None:
    """The first assertion: without them nothing is evaluated, the stack's own rules neither."""
    assert evaluated(mimir) == {}
    load(mimir, TEAM, GROUP).raise_for_status()
    assert any(key.startswith("rules/otel-stack/") for key in s3.objects(BUCKET))

    def answer() -> list[Any]:
        return samples(mimir, "team:answer == 42")

    until("the rule is evaluated", answer, seconds=SEEN_SECONDS, forgive=NOT_YET)
    assert evaluated(mimir)["team:answer"]["health"] == "ok"

    changed = {**GROUP, "rules": [{"record": "team:answer", "expr": "vector(43)"}]}
    load(mimir, TEAM, changed).raise_for_status()

    def changed_answer() -> list[Any]:
        return samples(mimir, "team:answer == 43")

    until("the changed rule is evaluated", changed_answer, seconds=SEEN_SECONDS, forgive=NOT_YET)

    url = f"{mimir.url()}/prometheus/config/v1/rules/{TEAM}"
    httpx.delete(url, headers=TENANT, timeout=30).raise_for_status()
    until("no rule is left", lambda: evaluated(mimir) == {}, seconds=SEEN_SECONDS, forgive=NOT_YET)
    assert not [key for key in s3.objects(BUCKET) if key.startswith("rules/otel-stack/")]


def test_the_stacks_own_rules_can_be_loaded(mimir: Store, rendered: Tree) -> None:
    """They keep to the limits of the API, which those in files are not held to."""
    files = rendered.files(rendered.program("mimir"))
    rules = {Path(path).stem: text for path, text in files.items() if path.startswith("rules/")}
    groups = [(stem, group) for stem, text in rules.items() for group in yaml.safe_load(text)["groups"]]
    for stem, group in groups:
        answer = load(mimir, stem, group)
        assert answer.is_success, (stem, group["name"], answer.text)
    names = {rule.get("alert") or rule["record"] for _, group in groups for rule in group["rules"]}
    assert "Watchdog" in names
    until("all are evaluated", lambda: healthy(mimir) == names, seconds=SEEN_SECONDS, forgive=NOT_YET)
    assert evaluated(mimir)["Watchdog"]["state"] == "firing"


def healthy(mimir: Store) -> set[str]:
    return {name for name, rule in evaluated(mimir).items() if rule["health"] == "ok"}
