"""Configuration of phase 4's processors, and of those that keep feeding phase 3's stores meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from components.collector_processor import (
    FOR_NODE_STORES,
    UNUSUAL_PIPELINE,
    CollectorProcessorArgs,
    processor_configuration,
)
from components.composition.consumer_groups import writer_groups
from components.stores.cluster import TENANT_HEADER
from components.values.documents import Document
from components.values.quantities import Duration

PHASE3_PROCESSOR = "otel-processor-phase3"
"""Those that keep feeding phase 3's stores."""

MIMIR = "otlp_http/mimir"
ADDER, FORGOTTEN_AFTER = "deltatocumulative", Duration(3600)
"""What adds up metrics of delta temporality, and the silence after which it begins anew: the sum is then as
after a restart of the application. It keeps 1 to 2 KiB for each series meanwhile."""

EXPORTERS: Mapping[str, str] = {
    "otlp_grpc/jaeger": "otlp_grpc/tempo",
    "otlp_http/prometheus": MIMIR,
    "otlp_http/loki": "otlp_http/loki",
}
"""Exporter of the configuration file -> the one that takes its place."""

SAMPLER = (
    ("service", "pipelines", "traces"),
    ("receivers", "kafka/traces"),
    ("exporters", "kafka/sampled"),
)
SPAN_METRICS = (
    ("service", "pipelines", "traces/metrics"),
    ("service", "pipelines", "metrics/spans"),
    ("connectors",),
)


def object_configuration(
    args: CollectorProcessorArgs, tenant: str, *, phase3_written: bool, add_deltas: bool
) -> Document:
    """Set the processors' configuration file for the stores of phase 4.

    Sampling continues in the group that it had in phase 3: only one of them may decide.

    Args:
        args: settings of the processors.
        tenant: whose data it is.
        phase3_written: whether other processors keep writing to phase 3's stores.
        add_deltas: add up metrics of delta temporality, of which each processor gets whole resources.
    """
    old = {before: args.stores[after] for before, after in EXPORTERS.items()}
    document = processor_configuration(replace(args, stores=old))
    for source, group in writer_groups(args.sampling.mode).items():
        document.set("receivers", f"kafka/{source}", "group_id", to=group)
    exporters = document.get("exporters")
    document.set("exporters", to={EXPORTERS.get(name, name): one for name, one in exporters.items()})
    for name in EXPORTERS.values():
        document.get("exporters", name)["headers"] = {TENANT_HEADER: tenant}
    # Tempo itself cuts off what exceeds its limit; Mimir keeps the valid part of a request.
    document.remove(*UNUSUAL_PIPELINE)
    for name in FOR_NODE_STORES:
        document.remove("processors", name)
    for pipeline in document.get("service", "pipelines").values():
        pipeline["exporters"] = [EXPORTERS.get(name, name) for name in pipeline["exporters"]]
        if "processors" in pipeline:
            pipeline["processors"] = [one for one in pipeline["processors"] if one not in FOR_NODE_STORES]
    if add_deltas:
        document.get("processors")[ADDER] = {"max_stale": str(FORGOTTEN_AFTER)}
        document.get("service", "pipelines", "metrics", "processors").append(ADDER)
    if phase3_written and counted_by_phase3(args.sampling.mode):
        for keys in SPAN_METRICS:
            document.remove(*keys)
    return document


def counted_by_phase3(mode: str) -> bool:
    """Return whether, while both sets of stores are written, those that write phase 3's count the spans.

    Where traces go to the store as they are read, the new stores' group begins with Kafka's oldest record. It
    would count again what was counted before, as if it had happened now. The old group goes on where it was;
    only one receiver may be in it, the one that feeds Jaeger. A tail sampler is in the old group itself.
    """
    return mode != "tail"


def phase3_configuration(args: CollectorProcessorArgs, mimir: str, tenant: str) -> Document:
    """Set the configuration file of those that only keep writing to phase 3's stores.

    They decide on no trace. Metrics are derived from spans once, and written to Mimir, whoever derives them.

    Args:
        args: settings of the processors.
        mimir: where Mimir accepts OTLP.
        tenant: whose data it is there.
    """
    document = processor_configuration(args)
    document.remove("processors", "tail_sampling")
    unused = SAMPLER if args.sampling.mode == "tail" else ()
    if counted_by_phase3(args.sampling.mode):
        exporters = document.get("exporters")
        exporters[MIMIR] = {
            **exporters["otlp_http/prometheus"],
            "endpoint": mimir,
            "headers": {TENANT_HEADER: tenant},
        }
        document.set("service", "pipelines", "metrics/spans", "exporters", to=[MIMIR])
    else:
        unused = (*SPAN_METRICS, *unused)
    for keys in unused:
        document.remove(*keys)
    return document
