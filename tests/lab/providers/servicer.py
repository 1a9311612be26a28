"""The gRPC side of every stand-in: Pulumi's provider protocol over a provider and its resources."""

# ruff: noqa: N802, ARG002 (the names and arguments are the protocol's)

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc, status_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from tests.lab.providers import wire
from tests.lab.providers.base import Provider
from tests.lab.providers.diff import Change
from tests.lab.providers.errors import InitializationError, ProviderError
from tests.lab.providers.resource import Resource
from tests.lab.providers.schema import Failure, Scalar, failures

_CONFIG_OF_THE_ENGINE = frozenset({"version", "pluginDownloadURL", "pluginChecksums"})

_KINDS: Mapping[tuple[str, bool], pb.PropertyDiff.Kind.ValueType] = {
    ("add", False): pb.PropertyDiff.ADD,
    ("add", True): pb.PropertyDiff.ADD_REPLACE,
    ("delete", False): pb.PropertyDiff.DELETE,
    ("delete", True): pb.PropertyDiff.DELETE_REPLACE,
    ("update", False): pb.PropertyDiff.UPDATE,
    ("update", True): pb.PropertyDiff.UPDATE_REPLACE,
}


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine for one provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def Handshake(
        self, request: pb.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> pb.ProviderHandshakeResponse:
        return pb.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def CheckConfig(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        with plain_errors(context):
            found = failures(self._provider.config, self._config(request.news))
            return pb.CheckResponse(inputs=request.news, failures=check_failures(found))

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        old, new = wire.unpack(request.old_inputs), wire.unpack(request.news)
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        return diff_response([Change(path=name, kind="update", replaces=False) for name in changed])

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        with plain_errors(context):
            self._provider.configure(self._config(request.args))
        return pb.ConfigureResponse(supportsPreview=True)

    def Invoke(self, request: pb.InvokeRequest, context: grpc.ServicerContext) -> pb.InvokeResponse:
        with plain_errors(context):
            raise ProviderError(
                f"the lab's stand-in for the {self._provider.name} plugin has no functions; "
                f"{request.tok} needs the official plugin."
            )

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        with plain_errors(context):
            resource = self._resource(request.urn)
            news, olds = public(wire.unpack(request.news)), wire.unpack(request.olds)
            found = list(resource.failures(news))
            if found:
                return pb.CheckResponse(inputs=request.news, failures=check_failures(found))
            checked = resource.checked(news, olds, _name(request.urn), request.randomSeed)
            return pb.CheckResponse(inputs=wire.pack(checked))

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        with plain_errors(context):
            resource = self._resource(request.urn)
            diff = resource.diff(wire.unpack(request.olds), wire.unpack(request.news))
            ignored = frozenset(request.ignoreChanges)
            kept = [change for change in diff.changes if change.property not in ignored]
            return diff_response(kept, delete_before_replace=diff.delete_before_replace)

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        with plain_errors(context):
            resource = self._resource(request.urn)
            inputs = wire.unpack(request.properties)
            if request.preview:
                return pb.CreateResponse(properties=_outputs(resource, resource.planned(inputs)))
            made = resource.create(inputs)
            properties = _outputs(resource, made.outputs)
            return pb.CreateResponse(id=made.resource_id, properties=properties)

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        with plain_errors(context):
            resource = self._resource(request.urn)
            inputs = wire.unpack(request.inputs)
            if not inputs:
                raise ProviderError(
                    f"the lab's stand-in for {resource.token} reads only what a stack made; "
                    f"importing {request.id!r} needs the official plugin."
                )
            outputs = resource.read(request.id, inputs, wire.unpack(request.properties))
            if outputs is None:
                return pb.ReadResponse()
            present = {name: outputs.get(name, value) for name, value in inputs.items()}
            return pb.ReadResponse(
                id=request.id, properties=_outputs(resource, outputs), inputs=wire.pack(present)
            )

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        with plain_errors(context):
            resource = self._resource(request.urn)
            state, news = wire.unpack(request.olds), wire.unpack(request.news)
            if request.preview:
                outputs = resource.updated(state, news)
            else:
                outputs = resource.update(request.id, state, news)
            return pb.UpdateResponse(properties=_outputs(resource, outputs))

    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        with plain_errors(context):
            self._resource(request.urn).delete(request.id, wire.unpack(request.properties))
        return empty_pb2.Empty()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self._provider.cancelled.set()
        return empty_pb2.Empty()

    def _resource(self, urn: str) -> Resource:
        return self._provider.resource(urn.split("::")[2].rsplit("$", maxsplit=1)[-1])

    def _config(self, struct: struct_pb2.Struct) -> dict[str, Any]:
        """The provider's settings; those that are not text are passed as JSON text."""
        settings = public(wire.unpack(struct))
        return {
            name: self._decoded(name, value)
            for name, value in settings.items()
            if name not in _CONFIG_OF_THE_ENGINE
        }

    def _decoded(self, name: str, value: Any) -> Any:
        expected = self._provider.config.properties.get(name)
        is_text = isinstance(expected, Scalar) and str in expected.accepts
        if expected is None or is_text or not isinstance(value, str) or value == wire.UNKNOWN:
            return value
        try:
            return json.loads(value)
        except ValueError:
            return value


@contextmanager
def plain_errors(context: grpc.ServicerContext) -> Iterator[None]:
    """Hand a resource's error to the engine as its message alone."""
    try:
        yield
    except InitializationError as error:
        detail = pb.ErrorResourceInitFailed(
            id=error.resource_id, properties=wire.pack(error.outputs), reasons=[str(error)]
        )
        if error.inputs is not None:
            detail.inputs.CopyFrom(wire.pack(error.inputs))
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
        status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    except ProviderError as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def public(values: dict[str, Any]) -> dict[str, Any]:
    """The properties without those that the engine or the provider keeps for itself."""
    return {name: value for name, value in values.items() if not name.startswith("__")}


def _name(urn: str) -> str:
    return urn.split("::", 3)[3]


def check_failures(found: Iterable[Failure]) -> list[pb.CheckFailure]:
    """The failures as the protocol has them."""
    return [pb.CheckFailure(property=item.path, reason=item.reason) for item in found]


def _outputs(resource: Resource, outputs: Mapping[str, Any]) -> struct_pb2.Struct:
    return wire.pack(outputs, secret=resource.secret_outputs)


def diff_response(changes: Sequence[Change], *, delete_before_replace: bool = False) -> pb.DiffResponse:
    """The changes as the protocol has them."""
    some = pb.DiffResponse.DIFF_SOME if changes else pb.DiffResponse.DIFF_NONE
    return pb.DiffResponse(
        changes=some,
        replaces=sorted({change.property for change in changes if change.replaces}),
        deleteBeforeReplace=delete_before_replace,
        diffs=sorted({change.property for change in changes}),
        hasDetailedDiff=True,
        detailedDiff={
            change.path: pb.PropertyDiff(kind=_KINDS[change.kind, change.replaces]) for change in changes
        },
    )
