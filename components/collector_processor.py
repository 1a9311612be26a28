"""Processor collectors: read Kafka, write to the stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from components.autoscaling import Autoscaling
from components.base import StackComponent
from components.collectors.workload import collector_workload, set_memory, set_operations, set_stores
from components.images import Image
from components.kafka.client import KafkaClient
from components.sections.stack import SamplingSection
from components.sizing.programs import TierSize
from components.values.documents import Document
from components.values.quantities import Duration, Size
from components.workload import Platform, Workload, callee

GROUPS: Mapping[str, str] = {
    "traces": "otel-trace-processors",
    "metrics": "otel-metric-processors",
    "logs": "otel-log-processors",
    "sampled": "otel-sampled-processors",
}
"""Consumer group of each signal, and of the traces that tail sampling keeps."""

SAMPLER_COMMIT = Duration(60)
"""How often a tail sampler commits its offsets to Kafka, at most; the configuration file says why."""

WAITS_PER_COMMIT = 6
"""A sampler killed within one wait after a commit loses what was undecided then; later it loses nothing."""

FOR_JAEGER, USUAL, UNUSUAL = "transform/jaeger", "filter/usual", "filter/unusual"
FOR_NODE_STORES = (FOR_JAEGER, USUAL, UNUSUAL)
"""Processors that spare Jaeger and Prometheus what they would refuse along with everything around it."""

UNUSUAL_PIPELINE = ("service", "pipelines", "metrics/unusual")

REFUSAL_MARGIN = Duration(3600)
"""How long before Prometheus would refuse a sample for its age it is sent in a separate request: Prometheus
counts from its newest sample, which may be some minutes ahead."""

COMMIT = Duration(1)
"""How often a consumer that loses nothing commits its offsets to Kafka."""

FLUSH = Duration(30)
"""Time to hand over what was decided, after the last decision."""


@dataclass(frozen=True, kw_only=True)
class CollectorProcessorArgs:
    """Settings of the processors.

    Attributes:
        image: the collector's image.
        size: replicas and their limits.
        kafka: where they read from.
        largest_request: largest request that the gateways accept; one kept span may be as large.
        sampling: which traces they keep.
        max_traces: undecided traces that one holds.
        operations: operations of one service that each counts apart.
        out_of_order: how late a sample may arrive at the store.
        stores: exporter of the configuration file -> endpoint of the store.
        autoscaling: bounds within which they follow the load.
    """

    image: Image
    size: TierSize
    kafka: KafkaClient
    largest_request: Size
    sampling: SamplingSection
    max_traces: int
    operations: int
    out_of_order: Duration
    stores: Mapping[str, str]
    autoscaling: Autoscaling | None = None


class CollectorProcessor(StackComponent):
    """Processors that share the consumer groups; what one has not finished, another one finds in Kafka."""

    def __init__(
        self,
        name: str,
        args: CollectorProcessorArgs,
        *,
        platform: Platform,
        after: Sequence[StackComponent],
        document: Document | None = None,
    ) -> None:
        """Run the processors once Kafka has its topics and the stores answer.

        ``document`` takes the place of the configuration for the stores of phases 1 to 3.
        """
        super().__init__(name, platform)
        self.run(_workload(name, args, document or processor_configuration(args)), after)


def _workload(name: str, args: CollectorProcessorArgs, document: Document) -> Workload:
    """Describe processors that run a configuration file; each has time to forward what it has read."""
    return replace(
        collector_workload(name, document, image=args.image, size=args.size.each),
        replicas=args.size.replicas,
        identity=True,
        autoscaling=args.autoscaling,
        calls=[*args.kafka.servers, *map(callee, args.stores.values())],
        secret_files=args.kafka.secret_files,
        stop_grace=Duration(args.sampling.decision_wait.seconds + FLUSH.seconds),
    )


def processor_configuration(args: CollectorProcessorArgs) -> Document:
    """Set the processors' configuration file from their settings."""
    document = Document.read("otel-processor/processor.yaml")
    set_memory(document, args.size.each)
    set_operations(document, args.operations)
    set_stores(document, args.stores)
    for source, group in GROUPS.items():
        args.kafka.configure(document, "receivers", f"kafka/{source}")
        document.set("receivers", f"kafka/{source}", "group_id", to=group)
    letters = ("exporters", "kafka/dead_letters")
    args.kafka.configure(document, *letters)
    document.set(*letters, "producer", "max_message_bytes", to=args.kafka.largest_message.bytes)
    args.kafka.configure_exporter(
        document, "exporters", "kafka/sampled", largest_request=args.largest_request
    )
    _set_sampling(document, args)
    _set_age(document, args.out_of_order)
    return document


def _set_age(document: Document, out_of_order: Duration) -> None:
    """Set the age from which a sample may be refused."""
    age = max(out_of_order.seconds - REFUSAL_MARGIN.seconds, out_of_order.seconds // 2)
    for name in (USUAL, UNUSUAL):
        document.replace("processors", name, "metrics", "datapoint", 0, old='"23h"', new=f'"{age}s"')


def _set_sampling(document: Document, args: CollectorProcessorArgs) -> None:
    """Set how traces are sampled.

    What a tail sampler has put into its topic is read in any case: the records that it came from are done.
    """
    sampling, tail = args.sampling, ("processors", "tail_sampling")
    document.set(*tail, "decision_wait", to=sampling.decision_wait.in_unit("s"))
    document.set(*tail, "num_traces", to=args.max_traces)
    remembered = (*tail, "decision_cache", "sampled_cache_size")
    document.set(*remembered, to=max(document.get(*remembered), args.max_traces))
    document.set(*tail, "policies", 1, "latency", "threshold_ms", to=sampling.slower_than.seconds * 1000)
    document.set(*tail, "policies", 2, "probabilistic", "sampling_percentage", to=sampling.keep_percent)
    document.set("processors", "probabilistic_sampler", "sampling_percentage", to=sampling.keep_percent)
    commit = ("receivers", "kafka/traces", "autocommit", "interval")
    if sampling.mode == "tail":
        waits = WAITS_PER_COMMIT * sampling.decision_wait.seconds
        document.set(*commit, to=f"{max(SAMPLER_COMMIT.seconds, waits)}s")
        return
    document.set(*commit, to=str(COMMIT))
    samplers = {"head": ["probabilistic_sampler"], "none": []}[sampling.mode]
    pipeline = ("service", "pipelines", "traces")
    document.set(*pipeline, "processors", to=["memory_limiter", *samplers, FOR_JAEGER])
    document.set(
        *pipeline, "exporters", to=document.get("service", "pipelines", "traces/sampled", "exporters")
    )
    document.remove("exporters", "kafka/sampled")
