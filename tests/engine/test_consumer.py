"""The example of another team's program reads the outputs of the real program, through the real engine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.project import ROOT
from tests.support.aws import OBJECT_STORAGE, server_with_cluster
from tests.support.stack import Stack

EXAMPLE = ROOT / "docs" / "examples" / "consumer"
RENDERED = {
    "existingSecrets": {"grafana": "grafana-login"},
    "gitops": {"repository": "https://git.example.com/platform.git"},
}
ELSEWHERE = {
    "provider": "s3",
    "bucketPrefix": "acme-otel",
    "s3": {"endpoint": "s3.example.com", "credentialsSecret": "object-storage"},
}
STORES: dict[str, dict[str, Any]] = {
    "phase 3": {"phase": 3},
    "phase 4, aws": {"phase": 4, "objectStorage": OBJECT_STORAGE, "postgres": {"passwordSecret": "database"}},
    "phase 4, s3": {"phase": 4, "objectStorage": ELSEWHERE, "postgres": {"passwordSecret": "database"}},
}


@pytest.fixture(scope="module", params=STORES.values(), ids=list(STORES))
def producer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of a phase whose objects go into files, and whose buckets into moto."""
    folder = tmp_path_factory.mktemp("consumer")
    config: dict[str, Any] = {
        "environment": "dev",
        "kubernetes": {**RENDERED, "render": str(folder / "rendered")},
        **request.param,
    }
    with server_with_cluster() as aws:
        made = Stack(name="dev", folder=folder / "producer", config=config, variables=aws.environment)
        made.up()
        yield made


@pytest.fixture
def consumer(producer: Stack, tmp_path: Path) -> Stack:
    """A copy of the example, in the same backend, with a passphrase of its own."""
    program = tmp_path / "checkout"
    shutil.copytree(EXAMPLE, program)
    (program / ".venv").symlink_to(ROOT / ".venv")
    backend = {"PULUMI_BACKEND_URL": (producer.folder / "backend").as_uri()}
    return Stack(
        name=tmp_path.name.replace("_", "-"),
        folder=tmp_path / "consumer",
        program=program,
        config={"observability": "organization/otel-stack/dev"},
        variables=backend,
    )


def test_a_team_reads_what_the_stack_exports(producer: Stack, consumer: Stack) -> None:
    consumer.up()
    given, read = producer.outputs(), consumer.outputs()
    phase = given["phase"]
    assert read["contract"] == given["contract_version"]
    assert read["environment"] == {
        "OTEL_SERVICE_NAME": "checkout",
        "OTEL_EXPORTER_OTLP_ENDPOINT": given["otlp_grpc_endpoint"],
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=dev",
    }
    for signal, query in read["queries"].items():
        assert query["url"] == given[f"{signal}_query_url"]
        assert query["datasource"] == given[f"{signal}_datasource_uid"]
        assert query["days"] == given[f"retention_{signal}_seconds"] / 86400
        assert query.get("tenant") == given.get("tenant")
    if phase < 4:
        assert not read.get("logs_bucket")
    elif given["role_arns"] == "{}":
        assert read["logs_bucket"] == "acme-otel-dev-logs"
        assert (read.get("logs_bucket_arn"), read.get("loki_role_arn")) == (None, None)
    else:
        assert read["logs_bucket"] == "acme-otel-dev-logs"
        assert read["logs_bucket_arn"] == "arn:aws:s3:::acme-otel-dev-logs"
        assert read["loki_role_arn"] == json.loads(given["role_arns"])["loki"]
    consumer.preview("--expect-no-changes")


def test_outputs_of_another_contract_are_refused(consumer: Stack) -> None:
    program = consumer.program / "__main__.py"
    program.write_text(program.read_text().replace('CONTRACT = "1"', 'CONTRACT = "0"'))
    refused = consumer.up(check=False)
    assert refused.status != 0
    assert "contract version 1, this program reads 0" in refused.text
    assert "Traceback" not in refused.text
