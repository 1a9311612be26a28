"""A workload's pod: its containers, confined as the ``restricted`` Pod Security level requires."""

from __future__ import annotations

from components.platform.manifests import placement
from components.platform.manifests.config import VOLUME, ConfigObjects, config_volume
from components.platform.manifests.network import exposed
from components.platform.manifests.scope import Manifest, Scope, selector, text_hash
from components.values.quantities import Duration
from components.workload import Port, Workload

CONFIG_HASH = "otel-stack.io/config-hash"
EVICTABLE = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
"""Annotation that names volumes of a node that a pod can do without. Any other keeps the node."""

START_SECONDS = 300
"""How long a program may take to start before it is restarted."""

GRACE_MARGIN = Duration(10)
"""Time beyond a program's own to stop, before it is killed."""

TO_SCALE_BY = 0.5
"""Fraction of the CPU limits from which what scales by CPU requests at least the fraction it scales by."""

PROBE_TIMEOUT = 5
"""Seconds in which a program has to answer."""

HUNG_GRACE = 30
"""Seconds to stop of a program that no longer answers. It would hand nothing over in its own time either."""

VERSION = "pod-template-hash"
"""Label that tells the pods of a Deployment's versions apart."""


def pod_template(scope: Scope, workload: Workload, objects: ConfigObjects) -> Manifest:
    """Return the template of a workload's pods."""
    annotations = {
        CONFIG_HASH: text_hash(workload.files),
        **_evictable(workload),
        **_scraping(workload),
        **workload.account,
    }
    return {
        "metadata": {
            "labels": {**scope.labels(workload.name), **_only_copy(workload)},
            "annotations": annotations,
        },
        "spec": _pod(scope, workload, objects),
    }


def is_stateful(workload: Workload) -> bool:
    """Tell whether the replicas have volumes or an identity of their own.

    Phases may run a program under the same name, with a volume in only one of them: in the other it must not
    be a StatefulSet, as those keep the claim templates that they started with, even when they are replaced.
    """
    return bool(workload.volumes) or workload.identity


def grace(scope: Scope, workload: Workload) -> Duration:
    """Return how long a pod may take to stop before it is killed."""
    return Duration(_leave(scope, workload) + workload.stop_grace.seconds + GRACE_MARGIN.seconds)


def _pod(scope: Scope, workload: Workload, objects: ConfigObjects) -> Manifest:
    section = scope.section
    spec: Manifest = {
        "serviceAccountName": workload.name,
        "automountServiceAccountToken": bool(workload.reads),
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace(scope, workload).seconds,
        "securityContext": _pod_security(workload),
        "containers": [
            _container(scope, one)
            for one in (workload, *(companion.within(workload) for companion in workload.companions))
        ],
        "volumes": [
            config_volume(workload, objects),
            *(
                {"name": f"tmp-{n}", "emptyDir": {"sizeLimit": f"{workload.writable_size.mebibytes}Mi"}}
                for n, _ in _writable(workload)
            ),
        ],
        **_placement(scope, workload),
    }
    if section.priority_class is not None:
        spec["priorityClassName"] = section.priority_class
    if section.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in section.image_pull_secrets]
    return spec


def _container(scope: Scope, workload: Workload) -> Manifest:
    container: Manifest = {
        "name": workload.name,
        "image": workload.image.reference,
        "imagePullPolicy": "IfNotPresent",
        "args": list(workload.args),
        "env": _environment(scope, workload),
        "ports": [_port(port) for port in workload.ports],
        "resources": _resources(scope, workload),
        **_probes(scope, workload),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": VOLUME, "mountPath": workload.config_directory, "readOnly": True},
            *({"name": volume.name, "mountPath": volume.path} for volume in workload.volumes),
            *({"name": f"tmp-{n}", "mountPath": path} for n, path in _writable(workload)),
        ],
    }
    if workload.entry_point is not None:
        container["command"] = list(workload.entry_point)
    if leave := _leave(scope, workload):
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": leave}}}
    return container


def _writable(workload: Workload) -> list[tuple[int, str]]:
    return list(enumerate(workload.writable))


def _leave(scope: Scope, workload: Workload) -> int:
    """Return for how many seconds it serves on: until those that call it by an address they share know."""
    if workload.lingers is None and all(port.published is None for port in workload.ports):
        return 0
    delay = scope.section.exposure.delay(outside=bool(exposed(workload)))
    return max(delay, workload.lingers or delay).seconds


def _environment(scope: Scope, workload: Workload) -> list[Manifest]:
    """Return the variables, those that others refer to first."""
    fields = {"POD_IP": "status.podIP"}
    if workload.replicas is not None:
        fields["REPLICA"] = "metadata.name"
    known = {}
    if workload.identity:
        fields["REPLICA_NUMBER"] = "metadata.labels['apps.kubernetes.io/pod-index']"
        known["DOMAIN"] = f".{scope.namespace}.svc"
    variables = dict(workload.environment)
    if workload.image.go:
        variables["GOMEMLIMIT"] = workload.resources.go_memory
    return [
        *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()),
        *({"name": name, "value": value} for name, value in (*known.items(), *sorted(variables.items()))),
    ]


def _port(port: Port) -> Manifest:
    return {"name": port.name, "containerPort": port.number, "protocol": port.transport}


def _resources(scope: Scope, workload: Workload) -> Manifest:
    resources, scaled, share = workload.resources, workload.autoscaling, scope.reserved_cpu
    if scaled is not None and scaled.lag is None and share >= TO_SCALE_BY:
        share = max(share, scaled.cpu)
    return {
        "requests": {
            "cpu": millicores(resources.cpus * share),
            "memory": f"{resources.reserved_memory.mebibytes}Mi",
        },
        "limits": {"cpu": millicores(resources.cpus), "memory": f"{resources.memory.mebibytes}Mi"},
    }


def millicores(cpus: float) -> str:
    """Write cores as Kubernetes reads them back."""
    return f"{cpus:g}" if float(cpus).is_integer() else f"{round(cpus * 1000)}m"


def _probes(scope: Scope, workload: Workload) -> Manifest:
    probe = workload.probe
    ready = _question(probe.port, probe.path, probe.command)
    alive = _question(probe.port, probe.alive or probe.path, probe.alive_command or probe.command)
    every = probe.interval.seconds
    return {
        "startupProbe": {
            **alive,
            "periodSeconds": 2,
            "failureThreshold": START_SECONDS // 2,
            "timeoutSeconds": PROBE_TIMEOUT,
        },
        "readinessProbe": {
            **ready,
            "periodSeconds": every,
            "failureThreshold": 3,
            "timeoutSeconds": PROBE_TIMEOUT,
        },
        "livenessProbe": {
            **alive,
            "periodSeconds": 2 * every,
            "failureThreshold": 6,
            "timeoutSeconds": PROBE_TIMEOUT,
            "terminationGracePeriodSeconds": _leave(scope, workload) + HUNG_GRACE,
        },
    }


def _question(port: int | None, path: str, command: tuple[str, ...] | None) -> Manifest:
    if port is not None:
        return {"httpGet": {"path": path, "port": port}}
    return {"exec": {"command": list(command or ())}}


def _pod_security(workload: Workload) -> Manifest:
    image = workload.image
    return {
        "runAsNonRoot": True,
        "runAsUser": image.uid,
        "runAsGroup": image.gid,
        "fsGroup": image.gid or image.uid,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _placement(scope: Scope, workload: Workload) -> Manifest:
    """Return on which nodes the pods may run, and how they are spread over nodes and zones."""
    section = scope.section
    found: Manifest = {}
    if section.node_selector:
        found["nodeSelector"] = dict(section.node_selector)
    if section.tolerations:
        found["tolerations"] = placement.tolerations(section)
    if only := _only_copy(workload):
        found["affinity"] = placement.apart({"labelSelector": {"matchLabels": only}}, required=False)
    if workload.replicas is None:
        return found
    pods = _alike(workload)
    found["topologySpreadConstraints"] = [
        placement.over_zones(section, pods, peers=workload.peers),
        placement.over_nodes(pods),
    ]
    # Where nodes have no zone the constraints above have no effect, or with "zones" keep pods away.
    required = workload.peers and placement.must_be_apart(section)
    found["affinity"] = placement.apart(pods, required=required)
    return found


def _only_copy(workload: Workload) -> dict[str, str]:
    return dict(placement.ONLY_COPY) if workload.replicas is None and workload.volumes else {}


def _alike(workload: Workload) -> Manifest:
    """Select the pods that are to be apart.

    A Deployment's new pods run beside those that they replace, which are about to stop and do not count:
    otherwise all new ones would be placed where no old one is.
    """
    pods: Manifest = {"labelSelector": {"matchLabels": selector(workload.name)}}
    return pods if is_stateful(workload) else {**pods, "matchLabelKeys": [VERSION]}


def _evictable(workload: Workload) -> dict[str, str]:
    """Let Cluster Autoscaler remove a node in spite of the pod's scratch folders, which nobody needs."""
    names = [f"tmp-{n}" for n, _ in _writable(workload)]
    return {EVICTABLE: ",".join(names)} if names else {}


def _scraping(workload: Workload) -> dict[str, str]:
    if workload.scraped is None:
        return {}
    return {"prometheus.io/scrape": "true", "prometheus.io/port": str(workload.port(workload.scraped).number)}
