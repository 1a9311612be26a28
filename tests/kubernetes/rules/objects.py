"""What the objects around the pods keep to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.kubernetes import edges
from tests.support.manifests import (
    CLUSTER_WIDE,
    STAND_IN,
    Manifest,
    Program,
    Tree,
    config_sources,
    name_of,
    secrets_of_operators,
)

PART_OF = ("app.kubernetes.io/part-of", "otel-stack")
SPREAD = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
CALM_SECONDS = 300
OWN_NAME = re.compile(rf".*-({STAND_IN}|[0-9a-f]{{16}})")
"""Ends with what the provider adds, or in rendered files with the content's hash."""


def bounded(tree: Tree) -> Iterator[str]:
    """Whatever has more than one pod is spread, and goes one pod at a time; nothing else is held back."""
    for program in tree.programs():
        budgets = [
            one for one in tree.of("PodDisruptionBudget") if program in tree.selected(one["spec"]["selector"])
        ]
        if pod_count(tree, program) < 2:
            yield from (f"{program.name}: has one pod and a budget: no node drains" for _ in budgets)
            continue
        if [one["spec"].get("maxUnavailable") for one in budgets] != [1]:
            yield f"{program.name}: needs one PodDisruptionBudget with maxUnavailable 1, has {len(budgets)}"
        yield from _spread(tree, program)
    for budget in tree.of("PodDisruptionBudget"):
        if not tree.selected(budget["spec"]["selector"]):
            yield f"PodDisruptionBudget {name_of(budget)}: selects no pods"


def scaled_by_one(tree: Tree) -> Iterator[str]:
    """Where an autoscaler sets the number of pods, nobody else does."""
    targets = [one["spec"]["scaleTargetRef"] for one in tree.of(*AUTOSCALERS)]
    for one in tree.of(*AUTOSCALERS):
        least, most = bounds(one)
        if not 2 <= least <= most:
            yield f"{one['kind']} {name_of(one)}: from {least} to {most}"
    for target in targets:
        if not any(_is(program, target) for program in tree.programs()):
            yield f"an autoscaler scales {target['kind']} {target['name']}, which is not there"
    for program in tree.programs():
        scalers = [target for target in targets if _is(program, target)]
        if len(scalers) > 1:
            yield f"{program.name}: {len(scalers)} autoscalers"
        if bool(scalers) == ("replicas" in program.object["spec"]):
            yield f"{program.name}: replicas are set beside an autoscaler, or there is neither"


def scales_calmly(tree: Tree) -> Iterator[str]:
    """An autoscaler measures CPU or lag, and removes a pod only after five minutes of less load."""
    for one in tree.of(*AUTOSCALERS):
        told, spec = f"{one['kind']} {name_of(one)}", one["spec"]
        behavior = spec.get("behavior")
        if one["kind"] == "ScaledObject":
            behavior = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior")
        elif one["apiVersion"] != "autoscaling/v2":
            yield f"{told}: is {one['apiVersion']}"
        elif "cpu" not in [metric.get("resource", {}).get("name") for metric in spec["metrics"]]:
            yield f"{told}: does not measure CPU"
        calm = (behavior or {}).get("scaleDown", {}).get("stabilizationWindowSeconds", 0)
        if calm < CALM_SECONDS:
            yield f"{told}: removes pods after {calm} s of less load"


def scalers_can_log_in(tree: Tree) -> Iterator[str]:
    """A login that KEDA is to use is there."""
    logins = set(map(name_of, tree.of("TriggerAuthentication")))
    for one in tree.of("ScaledObject"):
        for trigger in one["spec"]["triggers"]:
            login = trigger.get("authenticationRef", {}).get("name")
            if login not in {*logins, None}:
                yield f"ScaledObject {name_of(one)}: logs in with {login}, which is not there"


def services_lead_somewhere(tree: Tree) -> Iterator[str]:
    """Every Service selects pods that listen on its ports; a load balancer opens no other than is told."""
    told = edges.told_ports(tree)
    for service in tree.of("Service"):
        selected = tree.selected({"matchLabels": service["spec"]["selector"]})
        if len(selected) != 1:
            yield f"Service {name_of(service)}: selects {[program.name for program in selected]}"
        for port in service["spec"]["ports"]:
            target = (port.get("targetPort", port["port"]), port.get("protocol", "TCP"))
            if not all(target in program.ports for program in selected):
                yield f"Service {name_of(service)}: nothing listens on {target}"
            if service["spec"].get("type") == "LoadBalancer" and port["port"] not in told:
                yield f"Service {name_of(service)}: opens {port['name']} {port['port']} to the outside"
    for program in tree.programs():
        wanted = program.object["spec"].get("serviceName")
        if wanted and wanted not in map(name_of, tree.of("Service")):
            yield f"{program.name}: its serviceName {wanted} is no Service"


def ways_in_lead_somewhere(tree: Tree) -> Iterator[str]:
    """Ingresses, routes and monitors name Services and ports that are there."""
    ports = {
        (name_of(service), port["port"])
        for service in tree.of("Service")
        for port in service["spec"]["ports"]
    }
    for backend in edges.backends(tree):
        if backend not in ports:
            yield f"a way in leads to {backend}, which no Service has"
    for monitor in tree.of("ServiceMonitor"):
        found = list(edges.monitored(tree, monitor))
        if len(found) != 1:
            yield f"ServiceMonitor {name_of(monitor)}: finds {len(found)} ports"


def accounts_are_used(tree: Tree) -> Iterator[str]:
    """Every program has an account of its own; a token only who asks the API server, and may."""
    accounts = {name_of(account): account for account in tree.of("ServiceAccount")}
    for name, account in accounts.items():
        if account.get("automountServiceAccountToken") is not False:
            yield f"ServiceAccount {name}: mounts its token into every pod"
    users = [program.pod.get("serviceAccountName") for program in tree.programs()]
    if sorted(map(str, users)) != sorted(accounts):
        yield f"accounts {sorted(accounts)} are used by {sorted(map(str, users))}"
    bound = _bound(tree)
    for program in tree.programs():
        asks = edges.reads_the_api(tree, program)
        has = (program.pod.get("automountServiceAccountToken"), program.name in bound)
        if has != (asks, asks):
            yield f"{program.name}: asks the API: {asks}; token, rights: {has}"
    yield from _rights(tree)


def references_exist(tree: Tree) -> Iterator[str]:
    """Configuration that pods name is there, never changes, and has a name that comes with its content."""
    used: set[str] = set()
    for user, kind, name, keys in _references(tree):
        used.add(f"{kind} {name}")
        yield from _reference(tree, user, kind, name, keys)
    for one in tree.of("ConfigMap", "Secret"):
        what = f"{one['kind']} {name_of(one)}"
        if what not in used:
            yield f"{what}: nobody uses it"
        if one.get("immutable") is not True:
            yield f"{what}: is not immutable"
        if not OWN_NAME.fullmatch(name_of(one)):
            yield f"{what}: its name stays when its content changes"


def belongs_together(tree: Tree) -> Iterator[str]:
    """Everything lies in one namespace, which admits restricted pods only, and says whose it is."""
    namespaces = {name_of(one): one for one in tree.of("Namespace")}
    for one in tree.objects:
        own = one["metadata"].get("namespace")
        if one["kind"] not in CLUSTER_WIDE and own not in namespaces:
            yield f"{one['kind']} {name_of(one)}: in namespace {own}, not in {sorted(namespaces)}"
        labels = one["metadata"].get("labels", {})
        if one["kind"] != "Namespace" and PART_OF not in labels.items():
            yield f"{one['kind']} {name_of(one)}: does not say that it is part of otel-stack"
    for name, one in namespaces.items():
        for mode in ("enforce", "audit", "warn"):
            level = one["metadata"].get("labels", {}).get(f"pod-security.kubernetes.io/{mode}")
            if level != "restricted":
                yield f"Namespace {name}: pod security {mode}: {level}"


def pod_count(tree: Tree, program: Program) -> int:
    """Give how many pods a program has at least."""
    for one in tree.of(*AUTOSCALERS):
        if _is(program, one["spec"]["scaleTargetRef"]):
            return bounds(one)[0]
    return int(program.object["spec"].get("replicas", 1))


def bounds(autoscaler: Manifest) -> tuple[int, int]:
    """Give the least and the most pods of an autoscaler."""
    spec: Mapping[str, int] = autoscaler["spec"]
    if autoscaler["kind"] == "ScaledObject":
        return spec["minReplicaCount"], spec["maxReplicaCount"]
    return spec["minReplicas"], spec["maxReplicas"]


def _is(program: Program, target: Mapping[str, str]) -> bool:
    return (program.object["kind"], program.name) == (target["kind"], target["name"])


def _spread(tree: Tree, program: Program) -> Iterator[str]:
    constraints = program.pod.get("topologySpreadConstraints", [])
    own = [one["topologyKey"] for one in constraints if program in tree.selected(one["labelSelector"])]
    if tuple(own) != SPREAD:
        yield f"{program.name}: is spread over {own}, not over zones and nodes"
    affinity = program.pod.get("affinity", {}).get("podAntiAffinity", {})
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", [])
    terms += [
        one["podAffinityTerm"] for one in affinity.get("preferredDuringSchedulingIgnoredDuringExecution", [])
    ]
    if [one["topologyKey"] for one in terms if program in tree.selected(one["labelSelector"])] != [SPREAD[1]]:
        yield f"{program.name}: two of its pods may lie on one node where nodes have no zone"
    versions = {tuple(one.get("matchLabelKeys", ())) for one in (*constraints, *terms)}
    if program.object["kind"] == "Deployment" and versions != {("pod-template-hash",)}:
        yield f"{program.name}: a new version's pods keep away from those that they replace"


def _bound(tree: Tree) -> set[str]:
    return {
        subject["name"]
        for binding in tree.of("RoleBinding", "ClusterRoleBinding")
        for subject in binding["subjects"]
    }


def _rights(tree: Tree) -> Iterator[str]:
    roles = {(role["kind"], name_of(role)): role for role in tree.of("Role", "ClusterRole")}
    named = [
        (binding["roleRef"]["kind"], binding["roleRef"]["name"])
        for binding in tree.of("RoleBinding", "ClusterRoleBinding")
    ]
    if sorted(named) != sorted(roles):
        yield f"roles {sorted(roles)} are bound as {sorted(named)}"
    for subject in _bound(tree) - set(map(name_of, tree.of("ServiceAccount"))):
        yield f"rights are given to {subject}, which is no account"
    for (kind, name), role in roles.items():
        for rule in role["rules"]:
            every = [rule["verbs"], rule["resources"], rule["apiGroups"]]
            if any("*" in items for items in every) or set(rule["verbs"]) - {"get", "list", "watch"}:
                yield f"{kind} {name}: may do more than read: {rule}"
            if "secrets" in rule["resources"]:
                yield f"{kind} {name}: may read secrets"


def _references(tree: Tree) -> Iterator[tuple[str, str, str, list[str]]]:
    """Give who uses which keys of which ConfigMap or Secret: user, kind, name, keys."""
    for program in tree.programs():
        for source in config_sources(program):
            for kind, field in (("ConfigMap", "configMap"), ("Secret", "secret")):
                if field in source:
                    keys = [item["key"] for item in source[field]["items"]]
                    yield program.name, kind, str(source[field].get("name")), keys
    for login in tree.of("TriggerAuthentication"):
        for kind, field in (("ConfigMap", "configMapTargetRef"), ("Secret", "secretTargetRef")):
            for reference in login["spec"].get(field, []):
                yield name_of(login), kind, str(reference.get("name")), [reference["key"]]


def _reference(tree: Tree, user: str, kind: str, name: str, keys: list[str]) -> Iterator[str]:
    if kind == "Secret" and name in tree.foreign_secrets | secrets_of_operators(tree):
        return
    try:
        one = tree.get(kind, name)
    except KeyError:
        yield f"{user}: {kind} {name} is not there"
        return
    there = {*one.get("data", {}), *one.get("stringData", {})}
    yield from (f"{user}: {kind} {name} has no key {key}" for key in keys if key not in there)
