"""Asks a real API server what it thinks of objects, and changes nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import cache
from tests.support.cluster import Cluster
from tests.support.manifests import Manifest, Program, Tree, dump
from tests.support.waiting import until

FIELD_MANAGER = "otel-stack-tests"
NAMESPACE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the API server said.

    Attributes:
        accepted: it would take every object.
        said: warnings and refusals.
        printed: what it would make of the objects; their names, unless more was asked for.
    """

    accepted: bool
    said: str = ""
    printed: str = ""


@dataclass(frozen=True, kw_only=True)
class Server:
    """The API server of a cluster.

    Attributes:
        cluster: the cluster.
        known: objects that it would take and pods that it would admit without a word, as JSON. It is not
            asked about them again: its answer does not depend on the objects beside them.
    """

    cluster: Cluster
    known: set[str] = field(default_factory=set)

    @contextmanager
    def namespace(self, manifest: Manifest) -> Iterator[None]:
        """Have a namespace while it is needed."""
        name = manifest["metadata"]["name"]
        self._kubectl("apply", "--server-side", f"--field-manager={FIELD_MANAGER}", text=dump([manifest]))
        try:
            account = ("serviceaccount", "default", f"--namespace={name}", "--ignore-not-found")
            until(
                f"the account of namespace {name}",
                lambda: self.cluster.kubectl("get", *account),
                seconds=NAMESPACE_SECONDS,
            )
            yield
        finally:
            self.cluster.kubectl("delete", "namespace", name, "--wait=false")

    def would_take(self, tree: Tree) -> Answer:
        """Ask whether it would take all objects, every field of them known to it."""
        options = ("--server-side", "--dry-run=server", "--validate=strict", "--output=name")
        return self._ask(tree.objects, "apply", *options, f"--field-manager={FIELD_MANAGER}")

    def would_make(self, objects: Sequence[Manifest]) -> list[Manifest]:
        """Ask what it would make of objects, with all that it adds to them."""
        options = ("--server-side", "--dry-run=server", "--output=json")
        answer = self._kubectl(
            "apply", *options, f"--field-manager={FIELD_MANAGER}", text=dump(list(objects))
        )
        assert answer.accepted, answer.said
        made = json.loads(answer.printed)
        return made["items"] if made["kind"] == "List" else [made]

    def would_admit(self, programs: Iterable[Program], namespace: str) -> Answer:
        """Ask whether it would admit a pod of each program."""
        options = ("--dry-run=server", "--validate=strict", "--output=name", f"--namespace={namespace}")
        return self._ask([pod(one) for one in programs], "create", *options)

    def _ask(self, objects: Sequence[Manifest], verb: str, *options: str) -> Answer:
        texts = {json.dumps(one, sort_keys=True): one for one in objects}
        fresh = [one for text, one in texts.items() if text not in self.known]
        if not fresh:
            return Answer(accepted=True)
        answer = self._kubectl(verb, *options, text=dump(fresh))
        if answer.accepted:
            named = len(answer.printed.splitlines())
            assert named == len(fresh), f"{named} of {len(fresh)} objects were looked at"
            if not answer.said:
                self.known.update(texts)
        return answer

    def _kubectl(self, verb: str, *options: str, text: str) -> Answer:
        access = (f"--kubeconfig={self.cluster.kubeconfig}", f"--context={self.cluster.context}")
        command: list[str | Path] = [cache.binary("kubectl"), *access, verb, *options, "--filename=-"]
        ended = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        return Answer(accepted=ended.returncode == 0, said=ended.stderr, printed=ended.stdout)


def pod(program: Program) -> Manifest:
    """Make a pod of a program as its controller would.

    Account and priority class are left out: they are not there while nothing is really made.
    """
    spec = {
        key: value
        for key, value in program.pod.items()
        if key not in ("serviceAccountName", "priorityClassName")
    }
    claims = program.object["spec"].get("volumeClaimTemplates", [])
    spec["volumes"] = [
        *spec["volumes"],
        *({"name": claim["metadata"]["name"], "emptyDir": {}} for claim in claims),
    ]
    metadata = {**program.template["metadata"], "name": f"{program.name}-1"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
