"""What a stack deployed from Git has to do, whatever deploys it."""

from __future__ import annotations

import json
import time

from tests.e2e.conftest import Report
from tests.support.configurations import configurations, mounted
from tests.support.counting import watched
from tests.support.git_deployment import GitDeployment
from tests.support.kubernetes_site import uids
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow

PROCESSOR = "otel-processor"


def demand_it_runs(delivered: GitDeployment) -> None:
    """Require that its telemetry arrives, and that it is healthy."""
    smoke = delivered.ops("smoke", "--json")
    assert smoke.status == 0, smoke.text
    assert {one["signal"] for one in json.loads(smoke.output)["arrivals"] if one["arrived"]} == {
        "trace",
        "log",
        "metric",
        "exemplar",
    }
    health = delivered.ops("health")
    assert health.status == 0, health.text


def demand_a_push_rolls_what_it_concerns(delivered: GitDeployment, load: Load, report: Report) -> float:
    """Require that a push under load rolls its own pods and loses nothing; give its seconds until ready."""
    site = delivered.site
    before, configured = uids(site), configurations(site)
    with watched(site, PROCESSOR) as seen, running(load):
        flow(load)
        pushed = time.time()
        delivered.await_applied(delivered.push(sampling={"keepPercent": 20}))
        took = time.time() - pushed
        flow(load)
    after = uids(site)
    # The autoscaler may have added a pod meanwhile: a program that has kept one was not rolled.
    assert {name for name in after if not after[name] & before[name]} == {PROCESSOR}
    remaining = configurations(site)
    assert len(configured - remaining) == len(remaining - configured) == 1
    assert remaining == mounted(site)
    report(load, demand_nothing_lost(site, load, unsure=seen.moves))
    return took
