"""Reads the outputs of an otel-stack: where to send telemetry to, and where to find it again."""

from __future__ import annotations

import json

import pulumi

CONTRACT = "1"
"""Version of the outputs that this program was written for."""

stack = pulumi.StackReference(pulumi.Config().require("observability"))


def known(version: str) -> str:
    """Take the outputs' version, if it is the one that this program knows.

    Raises:
        pulumi.RunError: it is another one.
    """
    if version != CONTRACT:
        raise pulumi.RunError(
            f"the stack's outputs are of contract version {version}, this program reads {CONTRACT}: "
            "compare its docs/outputs.md with the names used here, then change CONTRACT"
        )
    return version


def at(purpose: str, names: str | None) -> str | None:
    """Find one purpose in an output that is a JSON object; none before phase 4."""
    found: dict[str, str] = json.loads(names or "{}")
    return found.get(purpose)


pulumi.export("contract", stack.require_output("contract_version").apply(known))

# For the team's own deployments: a container's environment.
pulumi.export(
    "environment",
    {
        "OTEL_SERVICE_NAME": pulumi.get_project(),
        "OTEL_EXPORTER_OTLP_ENDPOINT": stack.require_output("otlp_grpc_endpoint"),
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_RESOURCE_ATTRIBUTES": pulumi.Output.concat(
            "deployment.environment.name=", stack.require_output("environment")
        ),
    },
)

# For dashboards, alerts and tests of their own. Phase 4 wants the tenant as header X-Scope-OrgID.
pulumi.export(
    "queries",
    {
        signal: {
            "url": stack.require_output(f"{signal}_query_url"),
            "datasource": stack.require_output(f"{signal}_datasource_uid"),
            "days": stack.require_output(f"retention_{signal}_seconds").apply(
                lambda seconds: int(seconds) // 86400
            ),
            "tenant": stack.get_output("tenant"),
        }
        for signal in ("traces", "metrics", "logs")
    },
)

# For what works on the stored data itself, such as an archive. Empty before phase 4.
pulumi.export("logs_bucket", stack.get_output("buckets").apply(lambda names: at("logs", names)))
pulumi.export("logs_bucket_arn", stack.get_output("bucket_arns").apply(lambda names: at("logs", names)))
pulumi.export("loki_role_arn", stack.get_output("role_arns").apply(lambda names: at("loki", names)))
