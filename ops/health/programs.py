"""Does every program run, and does it report itself healthy?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from ops.health.model import Reading
from ops.outputs import StackOutputs
from ops.web import problem

AREA = "programs"


@dataclass(frozen=True, kw_only=True)
class Interface:
    """An interface of the stack that answers HTTP.

    Attributes:
        output: output of the stack that holds its address.
        path: to request.
        body: JSON to post; None to get.
        program: whose it is; None where that differs by phase.
    """

    output: str
    path: str
    body: str | None = None
    program: str | None = None


READY = {
    "jaeger": "/",
    "tempo": "/ready",
    "prometheus": "/-/ready",
    "mimir": "/api/v1/status/buildinfo",
}
"""Path that answers once a store does, below its query address; by the uid of its data source."""


def interfaces(outputs: StackOutputs) -> dict[str, Interface]:
    """Give the interfaces of a stack by name.

    Raises:
        OpsError: the stack does not export what they need.
    """
    traces, metrics = outputs.text("traces_datasource_uid"), outputs.text("metrics_datasource_uid")
    return {
        # An export without spans is answered like any other and leaves nothing behind.
        "OTLP/HTTP": Interface(output="otlp_http_endpoint", path="/v1/traces", body="{}"),
        traces.capitalize(): _of_store(outputs, "traces_query_url", READY[traces], traces),
        metrics.capitalize(): _of_store(outputs, "metrics_query_url", READY[metrics], metrics),
        "Loki": _of_store(outputs, "logs_query_url", "/ready", "loki"),
        "Grafana": Interface(output="grafana_url", path="/api/health", program="grafana"),
    }


def _of_store(outputs: StackOutputs, output: str, path: str, store: str) -> Interface:
    """Give a store's interface; on a cluster the program is the one whose Service the address names."""
    host = urlsplit(outputs.text(output)).hostname or ""
    program = host.partition(".")[0] if host.endswith(".svc") else store
    return Interface(output=output, path=path, program=program)


def is_down(stack: str) -> Reading:
    """Tell that a stack has no programs at all."""
    advice = f"make up STACK={stack}"
    return Reading(area=AREA, name="all", status="degraded", found="the stack is down", advice=advice)


def is_gone(name: str, found: str, stack: str) -> Reading:
    """Tell that a stack's program is not where it runs."""
    advice = f"make up STACK={stack} brings it back"
    return Reading(area=AREA, name=name, status="degraded", found=found, advice=advice)


def interface_readings(
    client: httpx.Client,
    published: Mapping[str, Interface],
    outputs: StackOutputs,
    log_of: Callable[[str], str],
) -> Iterator[Reading]:
    """Ask every published interface whether it answers.

    Args:
        client: to ask with.
        published: the interfaces.
        outputs: the addresses at which this machine reaches them.
        log_of: gives the command that shows a program's log.
    """
    for name, interface in published.items():
        url = outputs.text(interface.output).rstrip("/") + interface.path
        try:
            if interface.body is None:
                answer = client.get(url)
            else:
                answer = client.post(
                    url, content=interface.body, headers={"content-type": "application/json"}
                )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            found = f"{url}: {problem(error)}"
            advice = log_of(interface.program) if interface.program else "the programs above, and their logs"
            yield Reading(area=AREA, name=name, status="degraded", found=found, advice=advice)
        else:
            yield Reading(area=AREA, name=name, found=f"{url} answers")
