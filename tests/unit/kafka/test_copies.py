"""What copies.sh counts of Kafka's answer, and how it sends that to the metrics store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.values.documents import CONFIGS
from tests.support.recorder import Sent, recorder

TOOLS = {"kafka-topics.sh": 'cat "$DESCRIBED"', "sleep": 'kill "$PPID"'}
"""The second stands for somebody who stops it after the first minute's count."""

DESCRIBED = """\
Topic: otlp-logs\tTopicId: a\tPartitionCount: 3\tReplicationFactor: 3\tConfigs: min.insync.replicas=2
\tTopic: otlp-logs\tPartition: 0\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3\tElr: \tLastKnownElr:
\tTopic: otlp-logs\tPartition: 1\tLeader: 2\tReplicas: 2,3,1\tIsr: 2,3\tElr: \tLastKnownElr:
\tTopic: otlp-logs\tPartition: 2\tLeader: none\tReplicas: 3,1,2\tIsr: \tElr: 3\tLastKnownElr:
Topic: otlp-alone\tTopicId: b\tPartitionCount: 1\tReplicationFactor: 1\tConfigs:
\tTopic: otlp-alone\tPartition: 0\tLeader: none\tReplicas: 1\tIsr: \tElr: 1\tLastKnownElr:
"""


def sent(folder: Path, **environment: str) -> Sent:
    """Let it count once; give the request in which the counts come."""
    for tool, body in TOOLS.items():
        (folder / tool).write_text(f"#!/bin/bash\n{body}\n")
        (folder / tool).chmod(0o755)
    for script in ("kafka/copies.sh", "otlp/send-metrics.sh"):
        shutil.copy(CONFIGS / script, folder)
    (folder / "described").write_text(DESCRIBED)
    with recorder() as (address, seen):
        subprocess.run(
            ["bash", str(folder / "copies.sh")],
            env={
                "PATH": f"{folder}:{os.environ['PATH']}",
                "DESCRIBED": str(folder / "described"),
                "BOOTSTRAP": "kafka-1:9092",
                "TOPICS": "otlp-logs 3",
                "METRICS": f"{address.removeprefix('http://')}/otlp/v1/metrics",
                **environment,
            },
            capture_output=True,
            timeout=60,
            check=True,
        )
    (one,) = seen
    return one


def point(one: dict[str, Any]) -> tuple[str, int]:
    """Give a count and the topic that it is of."""
    ((attribute),) = one["attributes"]
    return attribute["value"]["stringValue"], int(one["asInt"])


def test_copies_are_counted_for_each_topic(tmp_path: Path) -> None:
    found = sent(tmp_path)
    assert found.path == "/otlp/v1/metrics"
    (resource,) = json.loads(found.body)["resourceMetrics"]
    (scope,) = resource["scopeMetrics"]
    assert {
        metric["name"]: dict(map(point, metric["gauge"]["dataPoints"])) for metric in scope["metrics"]
    } == {
        "kafka.partition.count": {"otlp-logs": 3, "otlp-alone": 1},
        "kafka.partition.under_replicated": {"otlp-logs": 2, "otlp-alone": 1},
        "kafka.partition.offline": {"otlp-logs": 1, "otlp-alone": 1},
    }


@pytest.mark.parametrize(("given", "tenant"), [({}, None), ({"HEADER": "X-Scope-OrgID: shop"}, "shop")])
def test_the_counts_name_the_tenant_where_there_is_one(
    tmp_path: Path, given: dict[str, str], tenant: str | None
) -> None:
    assert sent(tmp_path, **given).headers["X-Scope-OrgID"] == tenant
