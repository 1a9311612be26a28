"""What to do about the failures that people meet: from the engine's words to advice."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Hint:
    """Advice for one kind of failure.

    Attributes:
        sign: pattern that its messages match, ignoring case; its group ``name`` names what they are about.
        meaning: what has happened.
        advice: what to do; ``{names}`` stands for those names, ``{stack}`` for the stack's.
    """

    sign: str
    meaning: str
    advice: str


_CANCEL = '(eval "$(.venv/bin/python -m ops env --stack {stack})" && pulumi cancel --yes)'

HINTS: tuple[Hint, ...] = (
    Hint(
        sign=r"settings? (is|are) wrong",
        meaning="the stack's settings are not accepted",
        advice="correct the keys named above in the stack's Pulumi.<stack>.yaml",
    ),
    Hint(
        sign=r"port is already allocated|address already in use",
        meaning="a port is taken by another program",
        advice="python -m ops doctor says which; stop it or set another port in the stack's file",
    ),
    Hint(
        sign=r"container name \"/?(?P<name>[^\"]+)\" is already in use",
        meaning="a container of that name exists that the engine does not know",
        advice="if it was left by an interrupted run: docker rm -fv {names}, then the same command again",
    ),
    Hint(
        sign=r"network with name (?P<name>\S+) already exists",
        meaning="a network of that name exists that the engine does not know",
        advice="another stack may use it; if it was left by an interrupted run: docker network rm {names}",
    ),
    Hint(
        sign=r"toomanyrequests",
        meaning="the image registry limits your pulls",
        advice="docker login, then docker pull each image (the plugin does not use the login, but takes what "
        "is there), or set images.registry in the stack's file to a mirror; then try again",
    ),
    Hint(
        sign=r"kubernetes cluster is unreachable",
        meaning="the Kubernetes API server does not answer",
        advice="make doctor says which one and why; the closed-network lab's own is started by: make cluster",
    ),
    Hint(
        sign=r"ErrImagePull|ImagePullBackOff",
        meaning="the cluster's nodes cannot get an image",
        advice="set images.registry to a mirror or kubernetes.imagePullSecrets to its login, then try again",
    ),
    Hint(
        sign=r"didn't match pod anti-affinity",
        meaning="the cluster has fewer nodes than replicas that may not share one",
        advice="add nodes, or set kubernetes.spread: preferred; then the same command again",
    ),
    Hint(
        sign=r"didn't match pod topology spread constraints",
        meaning="a replica's zone has no room, or nodes have no zone",
        advice="add nodes there, or set kubernetes.spread: required; then the same command again",
    ),
    Hint(
        sign=r"Insufficient (cpu|memory)",
        meaning="no node has room for a pod",
        advice="add nodes, or lower sizing in the stack's file; then the same command again",
    ),
    Hint(
        sign=r"failed to fully initialize or become live|is not ready: .*pods?\b",
        meaning="pods did not become ready in time",
        advice="the message above names pod and reason; make health and kubectl describe pod say more; "
        "then the same command again",
    ),
    Hint(
        sign=r"Apply failed with \d+ conflict|fields of somebody else",
        meaning="somebody else has changed an object of the stack",
        advice="the message above names object, fields and who changed them; leave those to them, or take "
        "them back: PULUMI_K8S_ENABLE_PATCH_FORCE=true make up STACK={stack}",
    ),
    Hint(
        sign=r"\(object-storage-(?P<name>\w+)\):\s+error:[^\n]*BucketAlreadyExists",
        meaning="somebody else on AWS has a bucket of that name",
        advice="set another name for just this, in objectStorage.buckets of the stack's file: {names}; "
        "then the same command again",
    ),
    Hint(
        sign=r"\(object-storage-(?P<name>\w+)\):\s+error:[^\n]*BucketAlreadyOwnedByYou",
        meaning="your account has a bucket of that name, which this stack does not know",
        advice="if another stack uses it, set another name for just this, in objectStorage.buckets: {names}; "
        "if none does: docs/object-storage.md, When something is wrong, says how to import it",
    ),
    Hint(
        sign=r'"(?P<name>[^"]+)" already exists',
        meaning="an object of that name is in the cluster, and the engine does not know it",
        advice="if it was left by an interrupted run, and only then, take it over: "
        "PULUMI_K8S_UPSERT_EXISTING_OBJECTS=true make up STACK={stack}",
    ),
    Hint(
        sign=r"marked for protection",
        meaning="this would delete or replace what is protected, such as buckets",
        advice="undo the change, or see docs/object-storage.md, What destroy keeps",
    ),
    Hint(
        sign=r"no such image|pull access denied|manifest unknown|manifest for .* not found"
        r"|(failed|error|unable).{0,20} pull|unable to (read|find) .*image",
        meaning="an image cannot be pulled",
        advice="try docker pull with the name above; behind a mirror set images.registry in the stack's file",
    ),
    Hint(
        sign=r"cannot connect to the docker daemon|error pinging docker server|docker\.sock: connect",
        meaning="the Docker Engine does not answer",
        advice="start it (Linux: sudo systemctl start docker), then the same command again",
    ),
    Hint(
        sign=r"no space left on device",
        meaning="the disk is full",
        advice="docker system df shows what takes it; free some, then the same command again",
    ),
    Hint(
        sign=r"incorrect passphrase|passphrase must be set",
        meaning="the passphrase does not unlock the stack's secrets",
        advice="set PULUMI_CONFIG_PASSPHRASE_FILE to the one the stack was made with; "
        "docs/operations.md says where it is kept",
    ),
    Hint(
        sign=r"stack is currently locked",
        meaning="another run holds the stack, or one was killed",
        advice=f"if no other run is in progress: {_CANCEL}",
    ),
    Hint(
        sign=r"(waiting for|wait).{0,60}(healthy|running)|is unhealthy|health.{0,40}timed? ?out",
        meaning="a program started but did not become healthy in time",
        advice="docker ps -a shows which; docker logs <name> says why; then the same command again",
    ),
    Hint(
        sign=r"non-overlapping .*address pool|pool overlaps",
        meaning="Docker has no free range of addresses for another network",
        advice="docker network prune removes networks that nothing uses",
    ),
    Hint(
        sign=r"cannot allocate memory|out of memory",
        meaning="the machine has too little memory",
        advice="free some, or lower sizing in the stack's file",
    ),
)


def find_hint(output: str, stack: str) -> Hint | None:
    """Find the first hint, in order of the list, that fits what the engine printed about a stack."""
    for hint in HINTS:
        found = list(re.finditer(hint.sign, output, re.IGNORECASE))
        if found:
            names = dict.fromkeys(str(match["name"]) for match in found if "name" in match.groupdict())
            advice = hint.advice.replace("{names}", " ".join(names)).replace("{stack}", stack)
            return replace(hint, advice=advice)
    return None
