"""One object of each kind that the stack is made of, and one whose kind the API server learns here."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k

settings = pulumi.Config()
cluster = k.Provider("cluster", namespace="kinds", **settings.require_object("provider"))
options = pulumi.ResourceOptions(provider=cluster)
place = k.core.v1.Namespace("kinds", metadata={"name": "kinds"}, opts=options)
inside = options.merge(pulumi.ResourceOptions(depends_on=[place]))

LABELS = {"app": "kinds"}
IMAGE = settings.require("image")
CLAIM: dict[str, Any] = {
    "access_modes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1024Mi"}},
}
GROUP = "tests.otel-stack.example"


def named(name: str) -> dict[str, Any]:
    """Give metadata with a name that the program chose."""
    return {"name": name}


def pod(*command: str, restart: str = "Always") -> dict[str, Any]:
    """Give a pod's template."""
    container = {"name": "main", "image": IMAGE, "command": ["sh", "-c", *command]}
    return {
        "metadata": {"labels": LABELS},
        "spec": {"containers": [container], "restart_policy": restart, "termination_grace_period_seconds": 0},
    }


k.core.v1.ServiceAccount("account", automount_service_account_token=False, opts=inside)
k.core.v1.Service(
    "peers",
    metadata=named("peers"),
    spec={"cluster_ip": "None", "selector": LABELS, "ports": [{"port": 80}]},
    opts=inside,
)
k.core.v1.PersistentVolumeClaim("claim", spec=CLAIM, opts=inside)
stateful = k.apps.v1.StatefulSet(
    "stateful",
    metadata=named("stateful"),
    spec={
        "service_name": "peers",
        "replicas": 2,
        "ordinals": {"start": 1},
        "pod_management_policy": "Parallel",
        "selector": {"match_labels": LABELS},
        "template": pod("sleep 3600"),
    },
    opts=inside,
)
k.core.v1.Service(
    "front",
    metadata=named("front"),
    spec={"selector": LABELS, "ports": [{"port": 80}]},
    opts=inside.merge(pulumi.ResourceOptions(depends_on=[stateful])),
)
k.apps.v1.DaemonSet(
    "daemon", spec={"selector": {"match_labels": LABELS}, "template": pod("sleep 3600")}, opts=inside
)
k.batch.v1.Job("job", spec={"template": pod("true", restart="Never")}, opts=inside)
k.batch.v1.CronJob(
    "cron",
    spec={"schedule": "@yearly", "job_template": {"spec": {"template": pod("true", restart="Never")}}},
    opts=inside,
)
k.autoscaling.v2.HorizontalPodAutoscaler(
    "scaler",
    spec={
        "scale_target_ref": {"api_version": "apps/v1", "kind": "StatefulSet", "name": "stateful"},
        "min_replicas": 2,
        "max_replicas": 2,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "average_utilization": 70}},
            }
        ],
    },
    opts=inside,
)
k.policy.v1.PodDisruptionBudget(
    "budget", spec={"max_unavailable": 1, "selector": {"match_labels": LABELS}}, opts=inside
)
k.networking.v1.NetworkPolicy(
    "policy", spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]}, opts=inside
)
k.networking.v1.Ingress(
    "ingress",
    metadata={"annotations": {"pulumi.com/skipAwait": "true"}},
    spec={"default_backend": {"service": {"name": "front", "port": {"number": 80}}}},
    opts=inside,
)
role = k.rbac.v1.Role(
    "role", rules=[{"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list"]}], opts=inside
)
subject = {"kind": "Group", "name": "system:nobody", "api_group": "rbac.authorization.k8s.io"}
k.rbac.v1.RoleBinding(
    "binding",
    subjects=[subject],
    role_ref={"kind": "Role", "name": role.metadata.name, "api_group": "rbac.authorization.k8s.io"},
    opts=inside,
)
k.rbac.v1.ClusterRole("role", rules=[], opts=options)
k.rbac.v1.ClusterRoleBinding(
    "binding",
    subjects=[subject],
    role_ref={"kind": "ClusterRole", "name": "view", "api_group": "rbac.authorization.k8s.io"},
    opts=options,
)
k.storage.v1.StorageClass("storage", provisioner="rancher.io/local-path", opts=options)
k.scheduling.v1.PriorityClass("priority", value=1000, opts=options)
definition = k.apiextensions.v1.CustomResourceDefinition(
    "definition",
    metadata=named(f"subjects.{GROUP}"),
    spec={
        "group": GROUP,
        "names": {"plural": "subjects", "singular": "subject", "kind": "Subject"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "open_apiv3_schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
                        },
                    }
                },
            }
        ],
    },
    opts=options.merge(
        pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="30s", delete="30s"))
    ),
)
k.apiextensions.CustomResource(
    "custom",
    api_version=f"{GROUP}/v1",
    kind="Subject",
    metadata={"annotations": {"pulumi.com/waitFor": "jsonpath={.spec.size}=3"}},
    spec={"size": 3},
    opts=inside.merge(pulumi.ResourceOptions(depends_on=[definition])),
)
