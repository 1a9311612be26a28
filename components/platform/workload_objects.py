"""What every workload has: an account, policies, configuration, Services, and the pods."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_kubernetes as kubernetes

from components.platform.manifests import access, config, network, workloads
from components.platform.manifests.monitoring import SCRAPED
from components.platform.manifests.pod import grace, is_stateful
from components.platform.manifests.scope import Scope
from components.platform.objects import NOT_AWAITED, Objects
from components.values.quantities import Duration
from components.workload import Workload, headless

START = Duration(600)
"""How long pods that start together may take to become ready before the update fails and says which did not;
nodes may have to be added and images fetched."""
START_TIMEOUT = START.in_unit("m")

LONGEST = Duration(2 * 3600)
"""How long an update waits at most, so that a stuck one is reported the same morning. It leaves each of a
dozen replicas of a store, which is as many as a high rate needs, nine minutes to hand over and to start."""

MADE_ONCE = ["spec.volumeClaimTemplates"]
"""Changing them would mean replacing the StatefulSet: all its pods at once, and no claim would change by it.

The engine also puts the old templates into a StatefulSet's replacement, so one that gains its first volume,
or loses its last, must become another resource."""


def make_account(made: Objects) -> None:
    """Create the account, and what it may read."""
    name, workload, scope = made.name, made.workload, made.scope
    account = kubernetes.core.v1.ServiceAccount(
        name,
        metadata=scope.metadata(name, annotations=workload.account),
        automount_service_account_token=False,
        opts=made.options(),
    )
    made.after.append(account)
    near = [rule for rule in workload.reads if not rule.everywhere]
    far = [rule for rule in workload.reads if rule.everywhere]
    subjects = [access.account(scope, workload)]
    rbac = kubernetes.rbac.v1
    if near:
        rbac.Role(name, metadata=scope.metadata(name), rules=access.rules(near), opts=made.options())
        rbac.RoleBinding(
            name,
            metadata=scope.metadata(name),
            role_ref=access.role_ref("Role", name),
            subjects=subjects,
            opts=made.options(),
        )
    if far:
        wide = scope.metadata(name, name=access.cluster_role_name(scope, workload), cluster_wide=True)
        rbac.ClusterRole(name, metadata=wide, rules=access.rules(far), opts=made.options())
        rbac.ClusterRoleBinding(
            name,
            metadata=wide,
            role_ref=access.role_ref("ClusterRole", wide["name"]),
            subjects=subjects,
            opts=made.options(),
        )


def make_policies(made: Objects) -> None:
    """Open exactly the paths that the workload's data takes."""
    egress = {f"{made.name}-egress": network.egress_spec(made.scope, made.workload)}
    for name, spec in {**egress, **network.ingress_policies(made.scope, made.workload)}.items():
        made.after.append(made.policy(name, spec))


def make_configuration(made: Objects) -> config.ConfigObjects:
    """Create the ConfigMap and the Secret."""
    workload = made.workload
    config_map = made.config_map("config", workload.files)
    secret = made.secret("secrets", config.own_secrets(workload))
    return config.ConfigObjects(config_map=config_map, secret=secret)


def make_services(made: Objects) -> None:
    """Create the Service, and the headless one where single pods are addressed, before the pods."""
    workload = made.workload
    if not workload.ports:
        return
    labels = {SCRAPED: "true"} if workload.scraped else {}
    made.service(made.name, network.service_spec(workload), labels=labels)
    if workload.peers or any(port.speaks == "grpc" and port.published for port in workload.ports):
        made.service(headless(made.name), network.headless_spec(workload))


def make_pods(made: Objects, objects: config.ConfigObjects) -> pulumi.Resource:
    """Create the Deployment or StatefulSet and, if its probe is awaited, wait for its pods."""
    scope, workload = made.scope, made.workload
    options = made.options(
        depends_on=made.after,
        custom_timeouts=pulumi.CustomTimeouts(
            create=START_TIMEOUT,
            update=_update_timeout(scope, workload),
            delete=_delete_timeout(scope, workload),
        ),
        ignore_changes=MADE_ONCE if is_stateful(workload) else None,
    )
    waits = {} if workload.probe.awaited else NOT_AWAITED
    metadata = scope.metadata(made.name, annotations={**workloads.storage(workload), **waits})
    if not is_stateful(workload):
        spec = workloads.deployment_spec(scope, workload, objects)
        make: Callable[..., pulumi.Resource] = kubernetes.apps.v1.Deployment
    else:
        spec = workloads.stateful_set_spec(scope, workload, objects)
        make = kubernetes.apps.v1.StatefulSet
    return make(made.name, metadata=metadata, spec=spec, opts=options)


def _update_timeout(scope: Scope, workload: Workload) -> str:
    longest = START.seconds + workloads.rollout(scope, workload).seconds
    return Duration(min(longest, LONGEST.seconds)).in_unit("m")


def _delete_timeout(scope: Scope, workload: Workload) -> str:
    """Leave the pods, which end side by side, their grace period: a sampler's follows the settings."""
    return Duration(START.seconds + grace(scope, workload).seconds).in_unit("m")
