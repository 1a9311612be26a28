"""The alert rules, with what this sizing runs and allows, and with links to their runbooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import yaml

from components.settings import Settings
from components.sizing import SMALL_RATE
from components.values.documents import Document, replaced, text, texts
from components.values.quantities import DAY, Duration, Size

SHORTEST_RANGE = Duration(600)
"""Over a shorter range, the rates of records written and read say nothing."""

DUMPS = "dumps.yaml"
"""The rule file about dumps of the stack's own database."""

NOT_SCRAPED = ("copies.yaml", "own.yaml", DUMPS)
"""Rule files about what is sent to the stack's own Prometheus or Mimir."""


def alert_rules(
    memory_limits: Mapping[str, Size],
    replicas: Mapping[str, int],
    buffer_retention: Duration,
    *,
    copies_counted: bool,
    events_per_second: int = SMALL_RATE,
    certificate_end: datetime | None = None,
    runbooks_url: str | None = None,
) -> dict[str, str]:
    """Return the rule files that every phase has.

    Args:
        memory_limits: scrape job -> memory limit of its program.
        replicas: scrape job -> its least number of instances.
        buffer_retention: how long Kafka keeps unread records.
        copies_counted: whether the copies of Kafka's partitions are counted.
        events_per_second: rate that the stack is sized for.
        certificate_end: when the first of the certificates for OTLP expires; None where there are none.
        runbooks_url: address of ``docs/``, for the links to the runbooks.
    """
    files = {
        **texts("prometheus/rules", "*.yaml"),
        "limits.yaml": _limits(memory_limits, replicas, buffer_retention, events_per_second, certificate_end),
        "copies.yaml": _copies(counted=copies_counted),
        "buffer.yaml": _buffer(buffer_retention),
    }
    return linked(files, runbooks_url)


def linked(files: Mapping[str, str], runbooks_url: str | None) -> dict[str, str]:
    """Turn the runbook paths in rule files, which are relative to ``docs/``, into links."""
    base = "" if runbooks_url is None else f"{runbooks_url.rstrip('/')}/"
    return {
        path: content.replace("runbook_url: runbooks/", f"runbook_url: {base}runbooks/")
        for path, content in files.items()
    }


def of_environment(files: Mapping[str, str], environment: str) -> dict[str, str]:
    """Have every alert in rule files name its environment: those of others may reach the same people."""
    return {path: _labelled(content, environment) for path, content in files.items()}


def _labelled(content: str, environment: str) -> str:
    document = Document(yaml.safe_load(content))
    for group in document.get("groups"):
        for rule in group["rules"]:
            if "alert" in rule:
                rule["labels"]["environment"] = environment
    return document.dump()


def operator_rules(files: Mapping[str, str], runbooks_url: str | None, *, haproxy: bool) -> dict[str, str]:
    """Return the rule files for what a cluster's own Prometheus can scrape, including the kubelets.

    ``haproxy`` is whether the stack runs one there.
    """
    absent = NOT_SCRAPED if haproxy else (*NOT_SCRAPED, "haproxy.yaml")
    kept = {path: content for path, content in files.items() if path not in absent}
    return {**kept, **linked(texts("prometheus/rules-operator", "*.yaml"), runbooks_url)}


def _limits(
    memory_limits: Mapping[str, Size],
    replicas: Mapping[str, int],
    buffer_retention: Duration,
    events_per_second: int,
    certificate_end: datetime | None,
) -> str:
    """Set in the rules what this sizing runs and allows."""
    document = Document.read("prometheus/rules/limits.yaml")
    memory = {job: limit.bytes for job, limit in memory_limits.items()}
    document.set("groups", 0, "rules", to=_by_job("program:memory_limit:bytes", memory))
    document.set("groups", 1, "rules", 0, "expr", to=str(buffer_retention.seconds))
    document.set("groups", 2, "rules", to=_by_job("program:replicas", replicas))
    document.set("groups", 4, "rules", 0, "expr", to=str(events_per_second))
    if certificate_end is None:
        document.remove("groups", 3)
    else:
        document.set("groups", 3, "rules", 0, "expr", to=str(int(certificate_end.timestamp())))
    return document.dump()


def _copies(*, counted: bool) -> str:
    """Set in the rules whether the copies of Kafka's partitions are counted."""
    document = Document.read("prometheus/rules/copies.yaml")
    return document.set("groups", 0, "rules", 0, "expr", to=str(int(counted))).dump()


def _by_job(record: str, values: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the rules that record a number for each job."""
    return [{"record": record, "labels": {"job": job}, "expr": str(value)} for job, value in values.items()]


def _buffer(retention: Duration) -> str:
    """Set Kafka's retention of unread records in the alerts on Kafka: in their texts, and in one's range.

    Raises:
        ValueError: the file does not mention it as often as expected here.
    """
    half = max(SHORTEST_RANGE, Duration(retention.seconds // 2))
    said = (
        # What the file says for a retention of one day, what it is to say, how often.
        (str(Duration(DAY.seconds // 2)), str(half), 4),
        (f"({DAY})", f"({retention})", 5),
    )
    rules = text("prometheus/rules/buffer.yaml")
    for old, new, times in said:
        rules = replaced(rules, old, new, times=times)
    return rules


def sizing_rules(settings: Settings) -> str:
    """Set in the rules on phase 4's stores what their sizing runs and allows."""
    size = settings.store_size
    document = Document.read("mimir/rules/sizing.yaml")
    document.set("groups", 0, "rules", 0, "expr", to=str(size.series))
    replicas = {name: part.replicas for name, part in size.parts.items()}
    document.set("groups", 1, "rules", to=_by_job("store:replicas", replicas))
    streams = str(settings.stores.loki.max_streams)
    return document.set("groups", 2, "rules", 0, "expr", to=streams).dump()
