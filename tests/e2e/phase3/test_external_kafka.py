"""A Kafka that somebody else runs, with TLS and logins, read by processors that KEDA scales."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Report
from tests.support.deployment import ClusterDeployment
from tests.support.external_kafka import MAKES, USES, ExternalKafka
from tests.support.external_kafka_pod import running as somebodys_kafka
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

KNOWN_SECONDS = 180.0
"""KEDA checks every 15 s, so does the autoscaler, and the operator tries again after an error."""


@pytest.fixture(scope="module")
def kafka(deployed: ClusterDeployment) -> Iterator[ExternalKafka]:
    """The broker; the stack has brokers of its own again before it goes."""
    with somebodys_kafka() as made:
        made.allow([*USES, *MAKES])
        yield made
        deployed.become()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_an_external_kafka_is_written_read_and_scaled_by(
    scaler: None,  # noqa: ARG001
    deployed: ClusterDeployment,
    kafka: ExternalKafka,
    report: Report,
) -> None:
    deployed.become(**kafka.settings, autoscaling={"lag": "keda"})
    site = deployed.site
    load = Load(run="external", target=site.target)
    with running(load):
        flow(load)
        until("every lag to be known", lambda: _known(deployed), seconds=KNOWN_SECONDS, pause=5)
        flow(load)
    report(load, demand_nothing_lost(site, load))


def _known(deployed: ClusterDeployment) -> bool:
    """Tell whether the autoscaler that KEDA made has a figure for each consumer group."""
    found = deployed.cluster.get("hpa", "keda-hpa-otel-processor", f"--namespace={deployed.namespace}")
    asked, told = found["spec"]["metrics"], found["status"].get("currentMetrics") or []
    return len(asked) == len([one for one in told if "external" in one])
