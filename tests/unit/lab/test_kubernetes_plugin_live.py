"""How the kubernetes stand-in makes and changes objects, on an API server of a few lines."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from tests.lab.providers.errors import InitializationError, ProviderError
from tests.lab.providers.kubernetes.awaits import Awaits
from tests.lab.providers.kubernetes.backend import Call
from tests.lab.providers.kubernetes.cluster import Cluster, RefusedError
from tests.lab.providers.kubernetes.host import Host
from tests.lab.providers.kubernetes.kinds import kind_of
from tests.lab.providers.kubernetes.live import Live
from tests.lab.providers.kubernetes.objects import Objects
from tests.lab.providers.kubernetes.settings import Settings

CONFIG_MAP = kind_of("kubernetes:core/v1:ConfigMap")
RESOURCES = {"ConfigMap": "configmaps", "Pod": "pods"}
FOLDER = "/api/v1/namespaces/place"


def conflict(owner: str) -> dict[str, Any]:
    cause = {"field": ".data.text", "message": f'conflict with "{owner}" using v1'}
    return {"code": 409, "reason": "Conflict", "details": {"causes": [cause]}}


class Server(Cluster):
    """Keeps objects in a dict, refuses what was told, and remembers what it was asked."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.dead = False
        self.refusal: dict[str, Any] | None = None
        self.owner = ""
        self.kept: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def problem(self) -> str | None:
        return "nobody answers" if self.dead else None

    def request(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        body: object = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        del content_type
        if path == "/api/v1":
            names = [{"kind": kind, "name": name, "namespaced": True} for kind, name in RESOURCES.items()]
            return {"resources": [*names, {"kind": "Pod", "name": "pods/log", "namespaced": True}]}
        self.asked.append((f"{method} {path}", dict(query)))
        if self.refusal is not None and method != "GET":
            raise RefusedError(self.refusal)
        if self.owner and dict(query).get("force") == "false":
            raise RefusedError(conflict(self.owner))
        if method == "POST" or (method == "PATCH" and isinstance(body, dict)):
            return self._put(method, path, copy.deepcopy(body), dict(query))
        if path not in self.kept:
            raise RefusedError({"code": 404, "message": f"{path} is not there"})
        return self.kept.pop(path) if method == "DELETE" else self.kept[path]

    def _put(self, method: str, path: str, body: Any, query: dict[str, str]) -> dict[str, Any]:
        place = f"{path}/{body['metadata']['name']}" if method == "POST" else path
        operation = "Update" if method == "POST" else "Apply"
        fields = [{"manager": query["fieldManager"], "operation": operation, "fieldsV1": {"f:data": {}}}]
        body["metadata"] |= {"uid": "1", "resourceVersion": "1", "managedFields": fields}
        if "dryRun" not in query:
            self.kept[place] = body
        return dict(body)


def backend(**settings: Any) -> tuple[Live, Server]:
    chosen, cancelled = Settings(**settings), threading.Event()
    server = Server(chosen)
    objects = Objects(server)
    return Live(chosen, server, objects, Awaits(objects, Host(), cancelled), cancelled), server


def config_map(text: str = "one") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "place"},
        "data": {"text": text},
    }


def test_an_object_is_made_under_a_manager_of_its_own() -> None:
    live, server = backend()
    made = live.create(config_map(), Call())
    assert made.resource_id == "place/a"
    assert made.outputs["data"] == {"text": "one"}
    assert re.fullmatch(r"pulumi-kubernetes-[0-9a-f]{8}", made.outputs["__fieldManager"])
    request, query = server.asked[0]
    assert request == f"POST {FOLDER}/configmaps"
    assert query == {"fieldManager": made.outputs["__fieldManager"], "fieldValidation": "Strict"}


def test_an_update_takes_over_what_was_created_and_applies() -> None:
    live, server = backend()
    made = live.create(config_map(), Call())
    server.asked.clear()
    outputs = live.update("place/a", made.outputs, config_map("two"), Call())
    assert outputs["data"] == {"text": "two"}
    assert outputs["__fieldManager"] == made.outputs["__fieldManager"]
    path = f"{FOLDER}/configmaps/a"
    assert [request for request, _ in server.asked] == [f"GET {path}", *[f"PATCH {path}"] * 2, f"GET {path}"]
    assert server.asked[2][1]["force"] == "false"


def test_a_manager_of_the_programs_choice_takes_the_place_of_the_one_before() -> None:
    """Else what the one before applied would stay its own, and the next change be in conflict with it."""
    live, server = backend(upsert=True)
    chosen = config_map()
    chosen["metadata"]["annotations"] = {"pulumi.com/patchFieldManager": "chosen"}
    assert live.create(chosen, Call()).outputs["__fieldManager"] == "chosen"
    assert server.asked[0][1]["fieldManager"] == "chosen"
    made = live.create(config_map(), Call())
    server.asked.clear()
    assert live.update("place/a", made.outputs, chosen, Call())["__fieldManager"] == "chosen"
    applied = [query["fieldManager"] for request, query in server.asked if request.startswith("PATCH")]
    assert applied == ["chosen", made.outputs["__fieldManager"]]
    assert server.kept[f"{FOLDER}/configmaps/a"].keys() == {"apiVersion", "kind", "metadata"}


def test_previews_ask_for_a_dry_run_and_keep_nothing() -> None:
    live, server = backend()
    assert live.planned(config_map())["metadata"]["uid"] == "1"
    assert server.asked[0][1]["dryRun"] == "All"
    assert server.kept == {}


@pytest.mark.parametrize("code", [403, 404, 409])
def test_dry_runs_that_say_nothing_of_the_update_are_passed_over(code: int) -> None:
    live, server = backend()
    server.refusal = {"code": code, "message": "no"}
    assert live.planned(config_map()) == config_map()


def test_dry_runs_that_find_an_error_tell_it() -> None:
    live, server = backend()
    server.refusal = {"code": 422, "message": "data: too long"}
    with pytest.raises(ProviderError, match="data: too long"):
        live.planned(config_map())


def test_what_exists_is_taken_over_only_when_asked_to() -> None:
    live, server = backend()
    server.refusal = {"code": 409, "reason": "AlreadyExists", "message": "configmaps a already exists"}
    with pytest.raises(ProviderError, match="ConfigMap place/a already exists and is not of this stack"):
        live.create(config_map(), Call())
    live, server = backend(upsert=True)
    live.create(config_map(), Call())
    assert server.asked[0][0].startswith("PATCH")


def test_a_conflict_names_the_field_and_its_owner() -> None:
    live, server = backend()
    made = live.create(config_map(), Call())
    server.kept[f"{FOLDER}/configmaps/a"]["metadata"]["managedFields"][0]["operation"] = "Apply"
    server.refusal = conflict("kubectl")
    with pytest.raises(ProviderError, match=r'\.data\.text: conflict with "kubectl".*patchForce'):
        live.update("place/a", made.outputs, config_map("two"), Call())


def test_a_preview_tells_conflicts_with_others_and_none_with_ourselves() -> None:
    live, server = backend()
    made = live.create(config_map(), Call())
    server.owner = made.outputs["__fieldManager"]
    assert live.updated(made.outputs, config_map("two"), Call())["data"] == {"text": "two"}
    server.owner = "kubectl"
    with pytest.raises(ProviderError, match="kubectl"):
        live.updated(made.outputs, config_map("two"), Call())


def test_ignored_fields_of_others_are_left_to_them() -> None:
    live, server = backend()
    made = live.create(config_map(), Call())
    kept = server.kept[f"{FOLDER}/configmaps/a"]
    kept["metadata"]["managedFields"] = [
        {"manager": made.outputs["__fieldManager"], "operation": "Apply", "fieldsV1": {"f:metadata": {}}},
        {"manager": "other", "operation": "Update", "fieldsV1": {"f:data": {"f:text": {}}}},
    ]
    live.update("place/a", made.outputs, config_map("two"), Call(ignored=("data.text",)))
    assert server.kept[f"{FOLDER}/configmaps/a"]["data"] == {}


def test_ignored_fields_of_our_own_stay_as_they_are() -> None:
    live, _ = backend()
    made = live.create(config_map(), Call())
    outputs = live.update("place/a", made.outputs, config_map("two"), Call(ignored=("data", "spec.none")))
    assert outputs["data"] == {"text": "one"}


def test_what_is_gone_is_told_and_a_refresh_finds_it_gone() -> None:
    live, server = backend()
    made = live.create(config_map(), Call())
    server.kept.clear()
    assert live.read("place/a", CONFIG_MAP, config_map(), made.outputs) is None
    with pytest.raises(ProviderError, match="pulumi refresh"):
        live.update("place/a", made.outputs, config_map("two"), Call())
    live.delete(made.outputs, Call())


def test_an_import_takes_all_that_the_api_server_does_not_fill_in() -> None:
    live, _ = backend()
    live.create(config_map(), Call())
    found = live.read("place/a", CONFIG_MAP, {}, {})
    assert found is not None
    assert found.inputs == config_map()


def test_an_object_that_is_not_ready_stays_in_the_state() -> None:
    live, _ = backend()
    annotations = {"pulumi.com/waitFor": "jsonpath={.data.text}=two", "pulumi.com/timeoutSeconds": "0"}
    inputs = {**config_map(), "metadata": {**config_map()["metadata"], "annotations": annotations}}
    with pytest.raises(InitializationError, match="ConfigMap place/a is not ready: it is not yet") as failed:
        live.create(inputs, Call())
    assert failed.value.resource_id == "place/a"
    with pytest.raises(InitializationError, match="is not ready") as found:
        live.read("place/a", CONFIG_MAP, inputs, failed.value.outputs)
    assert found.value.inputs == inputs


def test_custom_timeouts_go_before_the_annotation() -> None:
    live, _ = backend()
    annotations = {"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "600"}
    inputs = {**config_map(), "metadata": {**config_map()["metadata"], "annotations": annotations}}
    with pytest.raises(InitializationError, match=r"waited 0 s"):
        live.create(inputs, Call(timeout=0.01))


@pytest.mark.parametrize(
    ("settings", "kept"), [({"delete_unreachable": True}, False), ({"skip_update_unreachable": True}, True)]
)
def test_refreshing_without_a_cluster(settings: dict[str, bool], kept: bool) -> None:
    live, server = backend(**settings)
    made = live.create(config_map(), Call())
    server.dead = True
    found = live.read("place/a", CONFIG_MAP, config_map(), made.outputs)
    assert (found is not None) == kept


def test_unknown_kinds_are_named_with_what_is_missing() -> None:
    objects = Objects(Server(Settings()))
    with pytest.raises(ProviderError, match=r"no kind Subject in v1.*CustomResourceDefinition"):
        objects.endpoint("v1", "Subject")
    assert objects.endpoint("v1", "Pod").plural == "pods"
