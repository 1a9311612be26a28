"""A kubectl that plays a cluster, for tests of the operator's commands."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from ops.finding import Finding
from ops.kubernetes.checks import check_cluster
from ops.kubernetes.kubectl import Kubectl, kubectl_of
from ops.project import Stack
from ops.sites import site_of
from ops.sites.kubernetes import KubernetesSite
from tests.support.ops import checkout

KUBECONFIG = "contexts:\n  - {name: there}\n  - {name: elsewhere}\n"

# A kubectl of the tests: a file has the answers, by what is asked after the place.
KUBECTL = """#!{python}
import json, os, socket, sys, time
from pathlib import Path

folder = Path({folder!r})
place, asked = sys.argv[1:4], [one for one in sys.argv[4:] if not one.startswith("--request-timeout")]
with (folder / "log").open("a") as log:
    log.write(" ".join([*place, *asked]) + "\\n")
answers = json.loads((folder / "answers").read_text())
if asked[0] == "port-forward":
    with (folder / "forwards").open("a") as forwards:
        print(os.getpid(), file=forwards)
    service = asked[2].removeprefix("service/")
    if service in answers["away"]:
        sys.exit("error: unable to forward port because pod is not running")
    listening = []
    for wanted in asked[3:]:
        local, _, port = wanted.partition(":")
        one = socket.create_server(("127.0.0.1", int(local or 0)))
        listening.append(one)
        print(f"Forwarding from 127.0.0.1:{{one.getsockname()[1]}} -> {{port}}", flush=True)
    time.sleep(60)
if asked[0] == "create":
    for item in json.load(sys.stdin)["items"]:
        attributes = item["spec"]["resourceAttributes"]
        allowed = [attributes["verb"], attributes["resource"]] not in answers["denied"]
        print(json.dumps({{"spec": item["spec"], "status": {{"allowed": allowed}}}}, indent=1))
    sys.exit(0)
line = " ".join(asked)
for start, answer in answers["answers"].items():
    if line.startswith(start):
        if answer.get("error"):
            sys.exit(answer["error"])
        os.write(1, bytes(answer["output"], "latin-1"))
        sys.exit(0)
sys.exit(f"Error from server (NotFound): nothing known of {{line}}")
"""


class Cluster:
    """What the played cluster answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._answers: dict[str, Any] = {"answers": {}, "denied": [], "away": []}
        program = folder / "bin" / "kubectl"
        program.parent.mkdir()
        program.write_text(KUBECTL.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
        (folder / "kubeconfig").write_text(KUBECONFIG)
        self.environ = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "KUBECONFIG": "/not/to/be/used"}
        self.says("version", {"serverVersion": {"major": "1", "minor": "34+", "gitVersion": "v1.34.3"}})
        standard = {
            "name": "fast",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        }
        self.says("get statefulsets --selector", {"items": []})
        self.says("get statefulsets,deployments --selector", {"items": []})
        self.says("get horizontalpodautoscalers", {"items": []})
        self.says("get storageclasses", {"items": [{"metadata": standard}]})
        self.says("get --raw /apis/metrics.k8s.io/v1beta1", {"resources": [{"name": "pods"}]})

    def says(self, asked: str, answer: object) -> None:
        """Answer a question, which may be only the beginning of one, with a document or with text."""
        output = answer if isinstance(answer, str) else json.dumps(answer)
        self._answer(asked, {"output": output})

    def fails(self, asked: str, said: str) -> None:
        self._answer(asked, {"error": said})

    def end_forwards(self) -> None:
        """End every connection to a Service, as the end of a pod does."""
        file = self.folder / "forwards"
        for pid in file.read_text().split():
            os.kill(int(pid), signal.SIGTERM)
        file.unlink()

    def deny(self, verb: str, resource: str) -> None:
        self._answers["denied"].append([verb, resource])
        self._save()

    def lose(self, service: str) -> None:
        self._answers["away"].append(service)
        self._save()

    @property
    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()

    def stack(self, **section: Any) -> Stack:
        """A stack of this cluster, with further keys of the section ``kubernetes``."""
        kubernetes = {"kubeconfig": str(self.folder / "kubeconfig"), "context": "there", **section}
        config = {"otel-stack:phase": 3, "otel-stack:kubernetes": kubernetes, **self.more}
        return checkout(self.folder / "clone", stack=json.dumps({"config": config}))

    more: dict[str, Any] = {}  # noqa: RUF012 - set on an instance

    def site(self, **section: Any) -> KubernetesSite:
        site = site_of(self.stack(**section), self.environ)
        assert isinstance(site, KubernetesSite)
        return site

    def kubectl(self) -> Kubectl:
        return kubectl_of(self.stack(), self.environ)

    def findings(self, **section: Any) -> dict[str, Finding]:
        return {one.name: one for one in check_cluster(self.stack(**section), self.environ)}

    def _answer(self, asked: str, answer: dict[str, str]) -> None:
        """Put an answer ahead of the earlier ones."""
        earlier = {one: found for one, found in self._answers["answers"].items() if one != asked}
        self._answers["answers"] = {asked: answer, **earlier}
        self._save()

    def _save(self) -> None:
        (self.folder / "answers").write_text(json.dumps(self._answers))
