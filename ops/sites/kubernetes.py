"""Phases 3 and 4: pods of a cluster, reached through kubectl."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from components.collectors.workload import GRPC_PORT, HTTP_PORT
from components.composition.addresses import cluster_addresses
from components.composition.outputs import outputs as outputs_of
from components.grafana_ha import PORT as GRAFANA
from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.values.addresses import LOOPBACK
from ops.backup.volumes import Volumes
from ops.errors import OpsError
from ops.health.model import Reading
from ops.inventory import Inventory
from ops.kafka.tools import PodTools, Tools
from ops.kubernetes.autoscalers import autoscaler_readings
from ops.kubernetes.checks import check_cluster
from ops.kubernetes.claims import claims, remove_claims, remove_strimzi_kafka
from ops.kubernetes.credentials import check_credentials
from ops.kubernetes.forward import Target, forwarded
from ops.kubernetes.kubectl import Kubectl, KubectlError, kubectl_of
from ops.kubernetes.owner import other_owner, release
from ops.kubernetes.readings import cluster_readings
from ops.kubernetes.removed import removed_from_cluster
from ops.outputs import StackOutputs
from ops.project import Stack
from ops.pulumi.python import check_python
from ops.pulumi.toolchain import Choice, choose
from ops.screen import say
from ops.sites.model import Examination

GATEWAY = "otel-gateway"
DOORS: Mapping[str, Target] = {
    "otlp_grpc_endpoint": (GATEWAY, GRPC_PORT),
    "otlp_http_endpoint": (GATEWAY, HTTP_PORT),
    "grafana_url": ("grafana", GRAFANA),
}
"""Services behind the outputs that may name an address outside the cluster."""

STORES = ("traces_query_url", "traces_ui_url", "metrics_query_url", "logs_query_url")
"""Outputs that name a Service themselves."""


class KubernetesSite:
    """A stack's cluster."""

    def __init__(self, stack: Stack, environ: Mapping[str, str]) -> None:
        """Name the stack; nothing is contacted."""
        self._stack, self._environ = stack, environ

    def examine(self) -> Examination:
        """See ``Site``.

        Raises:
            OpsError: the stack only writes manifests, or no toolchain is available.
        """
        if self._is_rendered():
            name, has_folder = self._stack.name, self._stack.settings.kubernetes.render is not None
            key = "kubernetes.render" if has_folder else "kubernetes.gitops.repository"
            render = f"make render STACK={name}{'' if has_folder else ' TO=<folder>'}"
            raise OpsError(
                f"{key}: the stack {name} only writes manifests, for others to apply",
                f"{render}; if nothing applies its manifests, remove the key to deploy it from here",
                status=2,
            )
        credentials = check_credentials(self._stack.settings, self._environ)
        findings = [check_python(), *credentials, *check_cluster(self._stack, self._environ)]
        return Examination(findings=findings, choice=self.choose())

    def choose(self) -> Choice:
        """See ``Site``; the cluster's nodes pull the images, not this machine."""
        return choose(None, ())

    @contextmanager
    def reached(self, outputs: StackOutputs, *, usual_ports: bool = False) -> Iterator[StackOutputs]:
        """See ``Site``; every Service gets a local port, a free one unless the usual one is asked for."""
        targets = {name: _target(name, outputs) for name in (*DOORS, *STORES)}
        services: dict[str, list[int]] = {}
        for service, port in dict.fromkeys(targets.values()):
            services.setdefault(service, []).append(port)
        with forwarded(self._kubectl(), services, same_ports=usual_ports) as ports:
            local = {
                name: f"http://{LOOPBACK}:{ports[target]}{_path(name, outputs)}"
                for name, target in targets.items()
                if target in ports
            }
            yield StackOutputs({**outputs.values, **local})

    def readings(self, inventory: Inventory) -> Iterable[Reading]:
        """See ``Site``."""
        try:
            known = inventory.programs if inventory.programs or not self._is_rendered() else None
            kubectl, by_lag = self._kubectl(), self._stack.settings.autoscaling.lag == "keda"
            return [
                *cluster_readings(kubectl, known, stack=self._stack.name),
                *autoscaler_readings(kubectl, by_lag=by_lag),
            ]
        except OpsError as error:
            return [
                Reading(
                    area="programs", name="pods", status="unknown", found=error.message, advice=error.advice
                )
            ]

    def removed(self, resources: Iterable[Mapping[str, Any]]) -> list[str]:
        """See ``Site``."""
        return removed_from_cluster(self._kubectl(), resources)

    def declared_outputs(self) -> StackOutputs | None:
        """See ``Site``; the settings have all of phase 3's."""
        settings = self._stack.settings
        if not self._is_rendered() or settings.phase >= ON_OBJECT_STORAGE:
            return None
        declared = outputs_of(settings, cluster_addresses(settings), platform="kubernetes")
        return StackOutputs(declared.as_dict())

    def kafka(self) -> Tools:
        """See ``Site``."""
        return PodTools(self._kubectl(), self._stack.name)

    def password(self) -> str | None:
        """See ``Site``."""
        name, key = self._stack.settings.kubernetes.existing_secrets.grafana, "admin-password"
        if name is None:
            return None
        kubectl = self._kubectl()
        try:
            data = kubectl.json("get", "secret", name).get("data") or {}
        except KubectlError as error:
            advice = f"it is in the Secret {name}, key {key}: ask whoever keeps it"
            raise OpsError(error.message, advice, status=2) from error
        if key not in data:
            raise OpsError(f"the Secret {name} has no key {key}", "make doctor names all that it needs")
        return base64.b64decode(data[key]).decode()

    def data(self, inventory: Inventory) -> str:
        """See ``Site``."""
        del inventory
        kubectl = self._kubectl()
        had_by = other_owner(kubectl, self._stack)
        if had_by is not None:
            return f"no PersistentVolumeClaim, because the namespace {kubectl.namespace} belongs to {had_by}"
        names = ", ".join(claims(kubectl)) or "(there are none)"
        return f"the PersistentVolumeClaims {names} of namespace {kubectl.namespace}"

    def stop_peers(self, inventory: Inventory) -> None:
        """See ``Site``; a StatefulSet's pods are ended together."""
        del inventory

    def forget_data(self) -> None:
        """See ``Site``; claims outlive their StatefulSets, and Strimzi's Kafka the stack.

        In a namespace that is another stack's, all of that belongs to the other.
        """
        kubectl = self._kubectl()
        had_by = other_owner(kubectl, self._stack)
        if had_by is not None:
            say(f"nothing else is deleted: the namespace {kubectl.namespace} belongs to the stack {had_by}")
            return
        if self._stack.settings.kafka.mode == "strimzi":
            remove_strimzi_kafka(kubectl)
        remove_claims(kubectl)
        release(kubectl, self._stack)

    def volumes(self) -> Volumes:
        """See ``Site``.

        Raises:
            OpsError: always; the cluster's storage makes and restores snapshots.
        """
        kubectl = self._kubectl()
        raise OpsError(
            f"on Kubernetes this makes no backups; the data is in {', '.join(claims(kubectl)) or 'no claim'}",
            "take VolumeSnapshots of these PersistentVolumeClaims; docs/kubernetes.md, backups, says how",
            status=2,
        )

    def log_of(self, program: str) -> str:
        """See ``Site``."""
        return self._kubectl().typed("logs", "-l", f"app.kubernetes.io/name={program}")

    def ways_in(self) -> str:
        """See ``Site``."""
        return "These are addresses of the cluster. To open them on this machine: make forward"

    def _is_rendered(self) -> bool:
        """Tell whether manifests made the stack; ``make render TO=...`` needs no folder in the settings."""
        section = self._stack.settings.kubernetes
        return section.render is not None or section.gitops.repository is not None

    def _kubectl(self) -> Kubectl:
        return kubectl_of(self._stack, self._environ)


def _target(output: str, outputs: StackOutputs) -> Target:
    """Give the Service behind an output: stores have addresses of the form ``service.namespace.svc:port``."""
    if output in DOORS:
        return DOORS[output]
    address = urlsplit(outputs.text(output))
    return (address.hostname or "").partition(".")[0], address.port or 80


def _path(output: str, outputs: StackOutputs) -> str:
    """Give the path of a store's address; Mimir's query API has one."""
    return "" if output in DOORS else urlsplit(outputs.text(output)).path
