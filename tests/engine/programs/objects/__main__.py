"""A ConfigMap, a Secret, and a Deployment that uses both: what changes when one of them does."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

LABELS = {"app": "subject"}

settings = pulumi.Config()
namespace = settings.require("namespace")
cluster = kubernetes.Provider("cluster", **settings.require_object("provider"))
options = pulumi.ResourceOptions(provider=cluster)

place = kubernetes.core.v1.Namespace("place", metadata={"name": namespace}, opts=options)
inside = place.metadata.name
text = kubernetes.core.v1.ConfigMap(
    "text",
    metadata={"namespace": inside},
    data={"text": settings.require("text")},
    immutable=True,
    opts=options,
)
password = kubernetes.core.v1.Secret(
    "password",
    metadata={"namespace": inside},
    string_data={"password": settings.require_secret("password")},
    opts=options,
)
kubernetes.core.v1.Service(
    "subject",
    metadata={"name": "subject", "namespace": inside},
    spec={"selector": LABELS, "ports": [{"port": 80}], "cluster_ip": "None"},
    opts=options,
)
kubernetes.apps.v1.Deployment(
    "subject",
    metadata={"name": "subject", "namespace": inside},
    spec={
        "replicas": settings.require_int("replicas"),
        "selector": {"match_labels": {**LABELS, **settings.get_object("selector", {})}},
        "template": {
            "metadata": {"labels": {**LABELS, "tier": "one"}},
            "spec": {
                "termination_grace_period_seconds": 0,
                "containers": [
                    {
                        "name": "subject",
                        "image": settings.require("image"),
                        "command": ["sh", "-c", "sleep 3600"],
                        "resources": {"limits": {"memory": "64.0Mi", "cpu": "0.1"}},
                        "env": [
                            {
                                "name": "PASSWORD",
                                "value_from": {
                                    "secret_key_ref": {"name": password.metadata.name, "key": "password"}
                                },
                            }
                        ],
                        "volume_mounts": [{"name": "text", "mount_path": "/text"}],
                    }
                ],
                "volumes": [{"name": "text", "config_map": {"name": text.metadata.name}}],
            },
        },
    },
    opts=options.merge(
        pulumi.ResourceOptions(
            custom_timeouts=pulumi.CustomTimeouts(create="120s", update=settings.get("patience") or "120s")
        )
    ),
)
pulumi.export("text", text.metadata.name)
