"""The kubernetes stand-in over its protocol, writing files instead of talking to a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc

from tests.lab.providers import wire
from tests.lab.providers.kubernetes.provider import KubernetesProvider
from tests.lab.providers.kubernetes.render import path
from tests.lab.providers.kubernetes.servicer import KubernetesServicer
from tests.lab.providers.serve import start

DEPLOYMENT = "urn:pulumi:dev::project::kubernetes:apps/v1:Deployment::web"
SECRET = "urn:pulumi:dev::project::kubernetes:core/v1:Secret::password"


@pytest.fixture
def stub() -> Iterator[Any]:
    provider = KubernetesProvider()
    server, port = start(provider, KubernetesServicer(provider))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(None).wait()


@pytest.fixture
def rendering(stub: Any, tmp_path: Path) -> Any:
    stub.Configure(pb.ConfigureRequest(args=wire.pack({"renderYamlToDirectory": str(tmp_path)})))
    return stub


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*.yaml"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}},
            "1-manifest/apps_v1-deployment-b-a.yaml",
        ),
        (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}},
            "1-manifest/v1-namespace-default-a.yaml",
        ),
        (
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": "as.example"},
            },
            "0-crd/apiextensions.k8s.io_v1-customresourcedefinition-default-as.example.yaml",
        ),
    ],
)
def test_files_are_named_as_the_official_plugin_names_them(values: dict[str, Any], expected: str) -> None:
    assert path(Path("out"), values) == Path("out") / expected


def test_a_preview_writes_nothing_and_an_update_writes_what_changed(rendering: Any, tmp_path: Path) -> None:
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}}}
    news = wire.pack({"metadata": {"name": "web", "namespace": "place"}, "spec": spec})
    inputs = rendering.Check(pb.CheckRequest(urn=DEPLOYMENT, news=news)).inputs
    rendering.Create(pb.CreateRequest(urn=DEPLOYMENT, properties=inputs, preview=True))
    assert files(tmp_path) == []
    made = rendering.Create(pb.CreateRequest(urn=DEPLOYMENT, properties=inputs))
    assert made.id == "place/web"
    assert files(tmp_path) == ["1-manifest/apps_v1-deployment-place-web.yaml"]
    written = tmp_path / files(tmp_path)[0]
    assert yaml.safe_load(written.read_text()) == wire.unpack(inputs)
    assert written.stat().st_mode & 0o777 == 0o600
    more = wire.pack({**wire.unpack(inputs), "spec": {**spec, "replicas": 2}})
    update = {"urn": DEPLOYMENT, "id": made.id, "olds": made.properties, "news": more}
    rendering.Update(pb.UpdateRequest(**update, preview=True))
    assert "replicas" not in written.read_text()
    rendering.Update(pb.UpdateRequest(**update))
    assert "replicas: 2\n" in written.read_text()
    rendering.Delete(pb.DeleteRequest(urn=DEPLOYMENT, id=made.id, properties=made.properties))
    assert files(tmp_path) == []


def test_texts_of_several_lines_are_written_as_such(rendering: Any, tmp_path: Path) -> None:
    urn = "urn:pulumi:dev::project::kubernetes:core/v1:ConfigMap::text"
    inputs = wire.pack(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "a"},
            "data": {"a": "x:\n  - 1\n", "on": "yes"},
        }
    )
    rendering.Create(pb.CreateRequest(urn=urn, properties=inputs))
    text = (tmp_path / files(tmp_path)[0]).read_text()
    assert "  a: |\n    x:\n      - 1\n" in text
    assert yaml.safe_load(text)["data"] == {"a": "x:\n  - 1\n", "on": "yes"}


def test_a_secrets_data_is_secret_whatever_the_program_says(rendering: Any) -> None:
    news = wire.pack({"stringData": {"password": "plain"}})
    checked = rendering.Check(pb.CheckRequest(urn=SECRET, news=news)).inputs
    assert checked["stringData"][rpc._special_sig_key] == rpc._special_secret_sig
    made = rendering.Create(pb.CreateRequest(urn=SECRET, properties=wire.pack(wire.unpack(checked))))
    assert made.properties["stringData"][rpc._special_sig_key] == rpc._special_secret_sig


def test_a_cluster_and_a_folder_are_refused_together(stub: Any) -> None:
    news = wire.pack({"renderYamlToDirectory": "out", "context": "lab", "other": 1})
    failures = stub.CheckConfig(pb.CheckRequest(news=news)).failures
    assert {failure.property for failure in failures} == {"context", "other"}


def test_a_dead_cluster_is_previewed_and_not_updated(stub: Any) -> None:
    settings = {"kubeconfig": "/nowhere/config", "context": "lab"}
    stub.Configure(pb.ConfigureRequest(args=wire.pack(settings)))
    news = wire.pack({"stringData": {"password": "plain"}})
    checked = stub.Check(pb.CheckRequest(urn=SECRET, news=news)).inputs
    inputs = wire.pack(wire.unpack(checked))
    planned = stub.Create(pb.CreateRequest(urn=SECRET, properties=inputs, preview=True))
    assert wire.unpack(planned.properties) == wire.unpack(inputs)
    with pytest.raises(grpc.RpcError) as failed:
        stub.Create(pb.CreateRequest(urn=SECRET, properties=inputs))
    assert "cluster is unreachable" in str(failed.value.details())
    assert "/nowhere/config" in str(failed.value.details())
