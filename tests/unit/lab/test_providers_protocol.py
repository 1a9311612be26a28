from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pulumi_docker
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc, status_pb2

from tests.lab.providers import wire
from tests.lab.providers.base import Provider
from tests.lab.providers.diff import Rules
from tests.lab.providers.errors import InitializationError, ProviderError
from tests.lab.providers.resource import DEFAULTS_KEY, Made, Resource
from tests.lab.providers.schema import record, resource_schema
from tests.lab.providers.serve import start

TOKEN = "docker:index/volume:Volume"
URN = f"urn:pulumi:dev::project::my:component:Type${TOKEN}::store::data"


class Things(Resource):
    """Volumes in a dict."""

    def __init__(self) -> None:
        schema = resource_schema(pulumi_docker.Volume, pulumi_docker.VolumeArgs)
        rules = Rules(force_new={"driver", "name"}, computed=schema.computed)
        super().__init__(TOKEN, schema, rules, autonamed=True, secret_outputs=frozenset({"mountpoint"}))
        self.made: dict[str, dict[str, Any]] = {}

    def create(self, inputs: dict[str, Any]) -> Made:
        if inputs["name"] == "impossible":
            raise ProviderError("volume impossible: choose another name.")
        if inputs["name"] == "broken":
            raise InitializationError("broken: not usable.", resource_id="7", outputs={"name": "broken"})
        self.made[inputs["name"]] = {**self.recorded(inputs), "mountpoint": "/m"}
        return Made(resource_id=inputs["name"], outputs=self.made[inputs["name"]])

    def read(self, resource_id: str, inputs: dict[str, Any], state: dict[str, Any]) -> dict[str, Any] | None:
        del inputs, state
        return self.made.get(resource_id)

    def delete(self, resource_id: str, state: dict[str, Any]) -> None:
        del state
        self.made.pop(resource_id, None)


class Settings(Provider):
    """Keeps the settings that it was given."""

    def __init__(self) -> None:
        super().__init__("docker", "1.2.3", record(pulumi_docker.ProviderArgs), [Things()])
        self.given: dict[str, Any] = {}

    def configure(self, config: dict[str, Any]) -> None:
        self.given = config


@pytest.fixture
def provider() -> Settings:
    return Settings()


@pytest.fixture
def stub(provider: Settings) -> Iterator[Any]:
    server, port = start(provider)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(None).wait()


def test_who_it_is(stub: Any) -> None:
    assert stub.GetPluginInfo(empty_pb2.Empty()).version == "1.2.3"
    handshake = stub.Handshake(pb.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    configured = stub.Configure(pb.ConfigureRequest())
    assert not handshake.accept_secrets
    assert not configured.acceptSecrets
    assert configured.supportsPreview


def test_settings_that_are_no_text_travel_as_json(stub: Any, provider: Settings) -> None:
    login = '[{"address": "r.example", "password": "p"}]'
    news = wire.pack(
        {"host": "unix:///x", "registryAuth": login, "version": "5.2.0"}, secret={"registryAuth"}
    )
    assert not stub.CheckConfig(pb.CheckRequest(news=news)).failures
    stub.Configure(pb.ConfigureRequest(args=news))
    assert provider.given == {
        "host": "unix:///x",
        "registryAuth": [{"address": "r.example", "password": "p"}],
    }


def test_unknown_settings_are_refused(stub: Any) -> None:
    news = wire.pack({"hosts": "unix:///x", "registryAuth": "no json"})
    failures = stub.CheckConfig(pb.CheckRequest(news=news)).failures
    assert [failure.property for failure in failures] == ["hosts", "registryAuth"]


def test_changed_settings_update_the_provider_without_replacing(stub: Any) -> None:
    request = pb.DiffRequest(old_inputs=wire.pack({"host": "a"}), news=wire.pack({"host": "b"}))
    diff = stub.DiffConfig(request)
    assert (list(diff.diffs), list(diff.replaces)) == (["host"], [])


def test_wrong_inputs_are_refused_with_their_path(stub: Any) -> None:
    response = stub.Check(pb.CheckRequest(urn=URN, news=wire.pack({"driverOpts": {"a": 1}, "names": "x"})))
    assert [failure.property for failure in response.failures] == ['driverOpts["a"]', "names"]


def test_names_are_made_once_and_kept(stub: Any) -> None:
    request = pb.CheckRequest(urn=URN, news=wire.pack({"driver": "local"}), randomSeed=b"seed")
    first = stub.Check(request).inputs
    checked = wire.unpack(first)
    assert checked["name"].startswith("store::data-")
    assert checked[DEFAULTS_KEY] == ["name"]
    again = pb.CheckRequest(urn=URN, olds=first, news=wire.pack({}), randomSeed=b"other")
    assert wire.unpack(stub.Check(again).inputs)["name"] == checked["name"]
    chosen = pb.CheckRequest(urn=URN, olds=first, news=wire.pack({"name": "mine"}))
    assert wire.unpack(stub.Check(chosen).inputs) == {"name": "mine"}


def test_a_preview_makes_nothing_and_knows_what_is_not_known(stub: Any, provider: Settings) -> None:
    request = pb.CreateRequest(urn=URN, properties=wire.pack({"name": "a"}), preview=True)
    response = stub.Create(request)
    outputs = wire.unpack(response.properties)
    assert response.id == ""
    assert outputs == {"name": "a", "driver": wire.UNKNOWN, "mountpoint": wire.UNKNOWN}
    assert not _things(provider).made


def test_create_read_delete(stub: Any, provider: Settings) -> None:
    inputs = wire.pack({"name": "a", DEFAULTS_KEY: ["name"]})
    made = stub.Create(pb.CreateRequest(urn=URN, properties=inputs))
    assert made.id == "a"
    assert made.properties["mountpoint"][rpc._special_sig_key] == rpc._special_secret_sig
    _things(provider).made["a"]["driver"] = "other"
    reading = pb.ReadRequest(urn=URN, id="a", inputs=wire.pack({"name": "a", "driver": "local"}))
    read = stub.Read(reading)
    assert wire.unpack(read.inputs) == {"name": "a", "driver": "other"}
    assert DEFAULTS_KEY not in wire.unpack(read.properties)
    stub.Delete(pb.DeleteRequest(urn=URN, id="a"))
    assert stub.Read(reading).id == ""


def test_what_changed_and_what_replaces(stub: Any) -> None:
    request = pb.DiffRequest(
        urn=URN,
        olds=wire.pack({"name": "a", "driver": "local", "driverOpts": {"x": "1"}}),
        news=wire.pack({"name": "a", "driver": "other", "driverOpts": {"x": "2"}}),
    )
    diff = stub.Diff(request)
    assert list(diff.diffs) == ["driver", "driverOpts"]
    assert list(diff.replaces) == ["driver"]
    assert diff.deleteBeforeReplace
    assert diff.detailedDiff["driver"].kind == pb.PropertyDiff.UPDATE_REPLACE
    assert diff.detailedDiff["driverOpts.x"].kind == pb.PropertyDiff.UPDATE
    request.ignoreChanges.extend(["driver", "driverOpts"])
    assert stub.Diff(request).changes == pb.DiffResponse.DIFF_NONE


def test_errors_are_their_message(stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        stub.Create(pb.CreateRequest(urn=URN, properties=wire.pack({"name": "impossible"})))
    assert failed.value.details() == "volume impossible: choose another name."


def test_what_exists_but_is_not_usable_stays_in_the_state(stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        stub.Create(pb.CreateRequest(urn=URN, properties=wire.pack({"name": "broken"})))
    metadata: Any = failed.value.trailing_metadata()
    packed = dict(metadata)["grpc-status-details-bin"]
    detail = pb.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(packed).details[0].Unpack(detail)
    assert (detail.id, list(detail.reasons)) == ("7", ["broken: not usable."])
    assert wire.unpack(detail.properties) == {"name": "broken"}


def test_types_functions_and_imports_that_are_not_modelled(stub: Any) -> None:
    with pytest.raises(
        grpc.RpcError, match="does not model docker:index/secret:Secret; it has docker:index/v"
    ):
        stub.Check(pb.CheckRequest(urn="urn:pulumi:dev::p::docker:index/secret:Secret::s"))
    with pytest.raises(grpc.RpcError, match="has no functions"):
        stub.Invoke(pb.InvokeRequest(tok="docker:index/getNetwork:getNetwork"))
    with pytest.raises(grpc.RpcError, match="importing 'x' needs the official plugin"):
        stub.Read(pb.ReadRequest(urn=URN, id="x"))


def test_cancel_is_told_to_the_provider(stub: Any, provider: Settings) -> None:
    stub.Cancel(empty_pb2.Empty())
    assert provider.cancelled.is_set()


def _things(provider: Settings) -> Things:
    resource = provider.resource(TOKEN)
    assert isinstance(resource, Things)
    return resource
