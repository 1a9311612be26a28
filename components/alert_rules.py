"""The rules of alerts: what this sizing runs and allows set in them, and where their runbooks are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.documents import Document, replaced, text, texts
from components.quantities import DAY, Duration, Size
from components.sizing import SMALL_RATE

SHORTEST_RANGE = Duration(600)
"""Over less, the rates of what is written and read say nothing."""

NOT_SCRAPED = ("copies.yaml", "haproxy.yaml")
"""Rule files on what is sent to the stack's own Prometheus or Mimir, and on what no cluster has."""


def alert_rules(
    memory_limits: Mapping[str, Size],
    replicas: Mapping[str, int],
    buffer_retention: Duration,
    *,
    copies_counted: bool,
    events_per_second: int = SMALL_RATE,
    runbooks_url: str | None = None,
) -> dict[str, str]:
    """Give the rule files that each phase has.

    Args:
        memory_limits: scrape job -> memory limit of its program.
        replicas: scrape job -> its least number of instances.
        buffer_retention: how long Kafka keeps what nobody has read.
        copies_counted: whether somebody counts the copies of Kafka's partitions.
        events_per_second: rate that the stack is made for.
        runbooks_url: address of ``docs/``, for the links to the runbooks.
    """
    files = {
        **texts("prometheus/rules", "*.yaml"),
        "limits.yaml": _limits(memory_limits, replicas, buffer_retention, events_per_second),
        "copies.yaml": _copies(counted=copies_counted),
        "buffer.yaml": _buffer(buffer_retention),
    }
    return linked(files, runbooks_url)


def linked(files: Mapping[str, str], runbooks_url: str | None) -> dict[str, str]:
    """Make links of the runbooks in rule files, which are paths in ``docs/``."""
    base = "" if runbooks_url is None else f"{runbooks_url.rstrip('/')}/"
    return {
        path: content.replace("runbook_url: runbooks/", f"runbook_url: {base}runbooks/")
        for path, content in files.items()
    }


def operator_rules(files: Mapping[str, str], runbooks_url: str | None) -> dict[str, str]:
    """Give a cluster's own Prometheus the rule files on what it can scrape, the kubelets among that."""
    kept = {path: content for path, content in files.items() if path not in NOT_SCRAPED}
    return {**kept, **linked(texts("prometheus/rules-operator", "*.yaml"), runbooks_url)}


def _limits(
    memory_limits: Mapping[str, Size],
    replicas: Mapping[str, int],
    buffer_retention: Duration,
    events_per_second: int,
) -> str:
    """Tell the alerts what this sizing runs and allows."""
    document = Document.read("prometheus/rules/limits.yaml")
    memory = {job: limit.bytes for job, limit in memory_limits.items()}
    document.set("groups", 0, "rules", to=by_job("program:memory_limit:bytes", memory))
    document.set("groups", 1, "rules", 0, "expr", to=str(buffer_retention.seconds))
    document.set("groups", 2, "rules", to=by_job("program:replicas", replicas))
    document.set("groups", 3, "rules", 0, "expr", to=str(events_per_second))
    return document.dump()


def _copies(*, counted: bool) -> str:
    """Tell the alerts on copies of Kafka's partitions whether somebody counts them."""
    document = Document.read("prometheus/rules/copies.yaml")
    return document.set("groups", 0, "rules", 0, "expr", to=str(int(counted))).dump()


def by_job(record: str, values: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give the rules that record a number of each job."""
    return [{"record": record, "labels": {"job": job}, "expr": str(value)} for job, value in values.items()]


def _buffer(retention: Duration) -> str:
    """Tell the alerts on Kafka how long it keeps what nobody has read: in their texts, and in one's range.

    Raises:
        ValueError: the file does not speak of it as often as is known here.
    """
    half = max(SHORTEST_RANGE, Duration(retention.seconds // 2))
    said = (
        # What the file says of a retention of a day, what it is to say, how often.
        (str(Duration(DAY.seconds // 2)), str(half), 4),
        (f"({DAY})", f"({retention})", 4),
    )
    rules = text("prometheus/rules/buffer.yaml")
    for old, new, times in said:
        rules = replaced(rules, old, new, times=times)
    return rules
