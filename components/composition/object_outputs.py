"""What phase 4 adds to the stack's outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.composition.object_stores import ObjectStores
from components.composition.outputs import Outputs
from components.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ObjectOutputs(Outputs):
    """Outputs of phase 4, none of them secret.

    Attributes:
        tenant: value of the header ``X-Scope-OrgID`` that every query must send.
        buckets: name of the bucket by purpose, as JSON.
        bucket_arns: ARN of the bucket by purpose, if on AWS, as JSON.
        role_arns: role of each store, if the buckets are on AWS, as JSON.
    """

    tenant: str
    buckets: pulumi.Output[str]
    bucket_arns: pulumi.Output[str]
    role_arns: pulumi.Output[str]


def object_outputs(settings: Settings, common: Outputs, stores: ObjectStores) -> ObjectOutputs:
    """Gather the outputs of phase 4: those of every phase, for its stores, and its own."""
    storage = stores.storage
    arns = {purpose: one.arn for purpose, one in storage.buckets.items() if one.arn is not None}
    found: dict[str, Any] = {
        **common.as_dict(),
        "metrics_query_url": f"{common.metrics_query_url}/prometheus",
        "traces_datasource_uid": "tempo",
        "metrics_datasource_uid": "mimir",
        "logs_datasource_uid": "loki",
        "limit_log_bytes_per_second": settings.store_size.log_bytes_per_second.bytes,
        # Nothing but age deletes samples from a bucket.
        "retention_metrics_bytes": 0,
    }
    return ObjectOutputs(
        **found,
        tenant=settings.stores.tenant,
        buckets=_json({purpose: one.name for purpose, one in storage.buckets.items()}),
        bucket_arns=_json(arns),
        role_arns=_json(storage.role_arns),
    )


def _json(values: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(dict(values)).apply(lambda found: json.dumps(found, sort_keys=True))
