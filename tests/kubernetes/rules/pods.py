"""What every pod of the stack keeps to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from components.images import CATALOGUE, Image
from tests.kubernetes import edges
from tests.support.manifests import Manifest, Program, Tree

LEAST_DRAIN = 30
"""Seconds that every program gets to finish in."""

FLUSH = 30
"""Seconds in which a processor hands over what it has decided."""

BROKER_DRAIN = 60
"""Seconds in which a broker hands its leaderships over and closes its log."""

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
MEBIBYTES = {"Mi": 1, "Gi": 1024, "MiB": 1, "GiB": 1024}


def confined(tree: Tree) -> Iterator[str]:
    """Nothing runs as root, writes to its root filesystem, or gets a privilege."""
    for program in tree.programs():
        pod = program.pod.get("securityContext", {})
        yield from _wrong(
            program,
            {
                "runAsNonRoot": (pod.get("runAsNonRoot"), True),
                "seccompProfile": (pod.get("seccompProfile"), {"type": "RuntimeDefault"}),
                "runAsUser is not 0": (pod.get("runAsUser", 0) != 0, True),
                "hostNetwork": (program.pod.get("hostNetwork", False), False),
                "hostPath": (any("hostPath" in one for one in program.pod.get("volumes", [])), False),
            },
        )
        for container in program.containers:
            own = container.get("securityContext", {})
            yield from _wrong(
                program,
                {
                    "readOnlyRootFilesystem": (own.get("readOnlyRootFilesystem"), True),
                    "allowPrivilegeEscalation": (own.get("allowPrivilegeEscalation"), False),
                    "capabilities": (own.get("capabilities"), {"drop": ["ALL"]}),
                    "privileged": (own.get("privileged", False), False),
                },
            )


def limited(tree: Tree) -> Iterator[str]:
    """Every container has limits, and requests that are no greater; no disk of a node is filled."""
    for program in tree.programs():
        for container in program.containers:
            resources = container.get("resources", {})
            for kind, measure in (("cpu", cores), ("memory", mebibytes)):
                promised, most = (resources.get(part, {}).get(kind) for part in ("requests", "limits"))
                if promised is None or most is None:
                    yield f"{program.name}: {kind}: needs a request ({promised}) and a limit ({most})"
                elif not 0 < measure(promised) <= measure(most):
                    yield f"{program.name}: {kind}: the request {promised} is not within the limit {most}"
        for volume in program.pod.get("volumes", []):
            if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
                yield f"{program.name}: the emptyDir {volume['name']} has no sizeLimit"


def probed(tree: Tree) -> Iterator[str]:
    """Every container is asked whether it has started, is ready, is alive: by HTTP on a port that it has."""
    for program in tree.programs():
        for container in program.containers:
            for kind in PROBES:
                yield from (f"{program.name}: {kind}: {what}" for what in _probe(program, container, kind))


def pinned(tree: Tree) -> Iterator[str]:
    """Every image has a fixed tag."""
    for program in tree.programs():
        for container in program.containers:
            tag = re.search(r":([A-Za-z0-9_][A-Za-z0-9_.-]*)(@sha256:[0-9a-f]{64})?$", container["image"])
            if tag is None or tag[1] == "latest" or not re.search(r"\d+\.\d+", tag[1]):
                yield f"{program.name}: the image {container['image']} has no fixed tag"
            if container.get("imagePullPolicy") != "IfNotPresent":
                yield f"{program.name}: an image that is there is pulled again"


def knows_its_limit(tree: Tree) -> Iterator[str]:
    """A Go program's heap, and what a collector takes in, stay below what it is killed at."""
    for program in tree.programs():
        if not image_of(program).go:
            continue
        limit = mebibytes(program.containers[0]["resources"]["limits"]["memory"])
        told = program.environment().get("GOMEMLIMIT")
        if told is None or not 0 < mebibytes(told) < limit:
            yield f"{program.name}: GOMEMLIMIT is {told}, the limit {limit} MiB"
        for document in documents(tree, program):
            refused = document.get("processors", {}).get("memory_limiter", {}).get("limit_mib", 0)
            if refused >= limit:
                yield f"{program.name}: memory_limiter refuses at {refused} MiB, the limit is {limit} MiB"


def finishes(tree: Tree) -> Iterator[str]:
    """A pod is killed later than its program needs to drain, and leaves its Service before that."""
    called = {edge.target for edge in edges.from_clients(tree)}
    for program in tree.programs():
        hook = program.containers[0].get("lifecycle", {}).get("preStop", {})
        leaving = hook.get("sleep", {}).get("seconds", 0)
        grace, needed = program.pod.get("terminationGracePeriodSeconds", 30), drain_seconds(tree, program)
        if grace <= leaving + needed:
            yield f"{program.name}: killed after {grace} s, needs {leaving} s to leave, {needed} s to drain"
        hung = program.containers[0].get("livenessProbe", {}).get("terminationGracePeriodSeconds", grace)
        if not leaving < hung <= leaving + LEAST_DRAIN:
            yield f"{program.name}: {hung} s until it is killed when it hangs, {leaving} s of them to leave"
        if program.name in called and leaving == 0:
            yield f"{program.name}: ends while its Service still sends connections: no preStop"


def drain_seconds(tree: Tree, program: Program) -> int:
    """Seconds that a program needs to end without a loss, from its configuration."""
    needed = [LEAST_DRAIN]
    if "server.properties" in tree.files(program):
        needed.append(BROKER_DRAIN)
    for document in documents(tree, program):
        if "service" not in document:
            continue
        pipelines = document["service"].get("pipelines", {})
        used = {name for one in pipelines.values() for name in one.get("processors", [])}
        if "tail_sampling" in used:
            needed.append(_seconds(document["processors"]["tail_sampling"]["decision_wait"]) + FLUSH)
        server = document.get("receivers", {}).get("otlp", {}).get("protocols", {}).get("grpc", {})
        age = server.get("keepalive", {}).get("server_parameters", {}).get("max_connection_age_grace", "0s")
        needed.append(_seconds(age))
    return max(needed)


def documents(tree: Tree, program: Program) -> list[dict[str, Any]]:
    """Give a program's configuration files that are YAML mappings."""
    texts = [text for path, text in tree.files(program).items() if path.endswith((".yaml", ".yml"))]
    return [document for document in map(yaml.safe_load, texts) if isinstance(document, dict)]


def image_of(program: Program) -> Image:
    """Find a program's image in the catalogue."""
    repository = program.containers[0]["image"].split("@")[0].rpartition(":")[0]
    return next(one for one in CATALOGUE.values() if f"/{repository}".endswith(f"/{one.repository}"))


def cores(text: str) -> float:
    """Read a number of CPUs."""
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def mebibytes(text: str) -> float:
    """Read an amount of memory."""
    match = re.fullmatch(r"(\d+)([A-Za-z]+)", text)
    assert match is not None, text
    return float(match[1]) * MEBIBYTES[match[2]]


def _seconds(text: str) -> int:
    parts = re.findall(r"(\d+)([hms])", text)
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)


def _probe(program: Program, container: Manifest, kind: str) -> Iterator[str]:
    probe = container.get(kind)
    if probe is None:
        yield "is not there"
        return
    if "httpGet" in probe:
        port = probe["httpGet"]["port"]
        if (port, "TCP") not in program.ports:
            yield f"asks port {port}, on which nothing listens"
    elif image_of(program).go or not probe.get("exec", {}).get("command"):
        yield "does not ask by HTTP"
    if probe.get("timeoutSeconds", 1) < 2:
        yield "gives up after a second, which a busy program may need"


def _wrong(program: Program, found: dict[str, tuple[object, object]]) -> Iterator[str]:
    for what, (value, wanted) in found.items():
        if value != wanted:
            yield f"{program.name}: {what}: {value!r}, not {wanted!r}"
