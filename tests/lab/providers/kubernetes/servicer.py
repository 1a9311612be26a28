"""The gRPC side: Pulumi's provider protocol over objects of any kind."""

# ruff: noqa: N802, ARG002 (the names and arguments are the protocol's)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from tests.lab.providers import wire
from tests.lab.providers.kubernetes import checks
from tests.lab.providers.kubernetes.backend import Call
from tests.lab.providers.kubernetes.diff import is_below
from tests.lab.providers.kubernetes.identity import conflicting, replacing
from tests.lab.providers.kubernetes.kinds import Kind, kind_of
from tests.lab.providers.kubernetes.provider import KubernetesProvider
from tests.lab.providers.schema import failures
from tests.lab.providers.servicer import Servicer, check_failures, diff_response, plain_errors, public

_SECRET_KINDS = frozenset({"kubernetes:core/v1:Secret"})
_SECRET_PROPERTIES = frozenset({"data", "stringData"})


class KubernetesServicer(Servicer):
    """Answers the engine for the kubernetes package."""

    def __init__(self, provider: KubernetesProvider) -> None:
        super().__init__(provider)
        self._kubernetes = provider

    def Handshake(
        self, request: pb.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> pb.ProviderHandshakeResponse:
        self._kubernetes.host.connect(request.engine_address)
        return pb.ProviderHandshakeResponse()

    def CheckConfig(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        with plain_errors(context):
            config = self._config(request.news)
            found = check_failures(failures(self._kubernetes.config, config))
            found += [
                pb.CheckFailure(property=name, reason="is not compatible with renderYamlToDirectory")
                for name in conflicting(config)
            ]
            return pb.CheckResponse(inputs=request.news, failures=found)

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        with plain_errors(context):
            old, new = self._config(request.old_inputs), self._config(request.news)
            return diff_response(replacing(old, new))

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        with plain_errors(context):
            kind = _kind(request.urn)
            news, olds = public(wire.unpack(request.news)), wire.unpack(request.olds)
            found = check_failures(kind.failures(news))
            if found:
                return pb.CheckResponse(inputs=request.news, failures=found)
            namespace = self._kubernetes.settings.namespace
            if namespace and not self._kubernetes.backend.is_namespaced(kind):
                namespace = ""
            return pb.CheckResponse(inputs=_pack(kind, checks.checked(kind, news, olds, namespace, request)))

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        with plain_errors(context):
            state, olds = wire.unpack(request.olds), wire.unpack(request.old_inputs)
            news = wire.unpack(request.news)
            diff = checks.compared(_kind(request.urn), self._kubernetes.settings, state, olds, news)
            kept = [
                change
                for change in diff.changes
                if not any(is_below(change.path, ignored) for ignored in request.ignoreChanges)
            ]
            first = diff.delete_before_replace and any(change.replaces for change in kept)
            return diff_response(kept, delete_before_replace=first)

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        with plain_errors(context):
            kind, inputs = _kind(request.urn), wire.unpack(request.properties)
            if request.preview:
                return pb.CreateResponse(properties=_pack(kind, self._kubernetes.backend.planned(inputs)))
            made = self._kubernetes.backend.create(inputs, Call(urn=request.urn, timeout=request.timeout))
            return pb.CreateResponse(id=made.resource_id, properties=_pack(kind, made.outputs))

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        with plain_errors(context):
            kind, inputs = _kind(request.urn), wire.unpack(request.inputs)
            found = self._kubernetes.backend.read(request.id, kind, inputs, wire.unpack(request.properties))
            if found is None:
                return pb.ReadResponse()
            return pb.ReadResponse(
                id=request.id, properties=_pack(kind, found.outputs), inputs=_pack(kind, found.inputs)
            )

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        with plain_errors(context):
            kind = _kind(request.urn)
            state, news = wire.unpack(request.olds), wire.unpack(request.news)
            ignored = tuple(request.ignoreChanges)
            call = Call(urn=request.urn, timeout=request.timeout, ignored=ignored)
            if request.preview:
                outputs = self._kubernetes.backend.updated(state, news, call)
            else:
                outputs = self._kubernetes.backend.update(request.id, state, news, call)
            return pb.UpdateResponse(properties=_pack(kind, outputs))

    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        with plain_errors(context):
            call = Call(urn=request.urn, timeout=request.timeout)
            self._kubernetes.backend.delete(wire.unpack(request.properties), call)
        return empty_pb2.Empty()


def _kind(urn: str) -> Kind:
    return kind_of(urn.split("::")[2].rpartition("$")[2])


def _pack(kind: Kind, values: Mapping[str, Any]) -> struct_pb2.Struct:
    return wire.pack(values, secret=_SECRET_PROPERTIES if kind.token in _SECRET_KINDS else ())
