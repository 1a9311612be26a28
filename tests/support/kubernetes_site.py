"""A stack of phase 3 in a cluster: its addresses, its pods, and how they are hurt.

Services' and pods' addresses are used as they are: the tests run on the cluster's node.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from tests.lab.cluster import kubectl
from tests.lab.errors import LabError
from tests.support.cluster import Cluster
from tests.support.numbered import Load
from tests.support.stored import jaeger_traces
from tests.support.waiting import until

GRPC, HTTP, METRICS = 4317, 4318, 8888
SERVICES = {3100: "loki", 9090: "prometheus", 16686: "jaeger"}
READY_SECONDS = 300.0
"""A program's start on a busy machine, with a restart or two of what waits for it."""


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod as it is now.

    Attributes:
        name: its name.
        uid: unique to this pod for all time.
        address: its IP address; empty while it has none.
        ready: it passes its probe, and is not terminating.
        restarts: how often its container was restarted.
        container: id of its container; empty while it has none.
        spec: all that was requested.
    """

    name: str
    uid: str
    address: str
    ready: bool
    restarts: int
    container: str
    spec: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ClusterSite:
    """A running stack of phase 3.

    Attributes:
        cluster: where it runs.
        namespace: its namespace.
        loki, prometheus, jaeger: ports of the stores' Services.
    """

    cluster: Cluster
    namespace: str
    loki: int = 3100
    prometheus: int = 9090
    jaeger: int = 16686

    @cached_property
    def services(self) -> Mapping[str, str]:
        """Address of each Service that has one."""
        found = self.cluster.get("services", f"--namespace={self.namespace}")["items"]
        return {one["metadata"]["name"]: one["spec"]["clusterIP"] for one in found}

    @property
    def target(self) -> str:
        """``host:port`` of OTLP over gRPC."""
        return f"{self.services['otel-gateway']}:{GRPC}"

    @property
    def web_target(self) -> str:
        """Address of OTLP over HTTP."""
        return f"http://{self.services['otel-gateway']}:{HTTP}"

    def url(self, port: int) -> str:
        """Address of the store that has a port."""
        return f"http://{self.services[SERVICES[port]]}:{port}"

    def get(self, port: int, path: str, **parameters: str | int) -> Any:
        """Ask a store's HTTP API."""
        return httpx.get(f"{self.url(port)}{path}", params=parameters, timeout=30).raise_for_status().json()

    def traces(self, load: Load, kind: str) -> Iterator[tuple[str, set[str]]]:
        """Ids of the traces of a kind that the store has, each with those of its spans."""
        return jaeger_traces(self, load, kind)

    def kubectl(self, *arguments: str) -> str:
        """What a command of kubectl prints in the namespace.

        Raises:
            LabError: it failed.
        """
        return self.cluster.kubectl(f"--namespace={self.namespace}", *arguments)

    def run(self, name: str, *command: str) -> str:
        """Run a command in a program's container.

        Raises:
            AssertionError: it failed, or no pod of the program is ready.
        """
        ready = [pod for pod in self.pods(name) if pod.ready]
        assert ready, f"no pod of {name} is ready"
        try:
            return self.kubectl("exec", ready[0].name, "--", *command)
        except LabError as error:
            raise AssertionError(str(error)) from error

    def pods(self, name: str = "") -> list[Pod]:
        """Give the pods of a program, or of all, in the order of their names."""
        label = "app.kubernetes.io/part-of=otel-stack" + (f",app.kubernetes.io/name={name}" if name else "")
        found = json.loads(self.kubectl("get", "pods", f"--selector={label}", "--output=json"))["items"]
        return sorted((pod_of(one) for one in found), key=lambda pod: pod.name)

    def ready(self, name: str) -> int:
        """Count the ready pods of a program."""
        return sum(pod.ready for pod in self.pods(name))

    def delete(self, *pods: Pod, force: bool = False) -> None:
        """Delete pods and wait until as many others are ready; ``force`` lets no program finish."""
        names = [pod.name for pod in pods]
        wanted = Counter(program_of(pod) for pod in self.pods())
        hard = ["--grace-period=0", "--force"] if force else []
        self.kubectl("delete", "pod", "--wait=false", *hard, *names)
        gone = {pod.uid for pod in pods}

        def are_replaced() -> bool:
            now = self.pods()
            ready = Counter(program_of(pod) for pod in now if pod.ready)
            return not gone & {pod.uid for pod in now} and ready >= wanted

        until(f"others in place of {', '.join(names)}", are_replaced, seconds=READY_SECONDS, pause=1)

    def evict(self, pod: Pod) -> str:
        """Ask for a pod's eviction, as a drain does; give what the API server said against it."""
        metadata = {"name": pod.name, "namespace": self.namespace}
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod.name}/eviction"
        try:
            kubectl.run("create", "--raw", path, "--filename=-", text=json.dumps(eviction))
        except LabError as error:
            return str(error)
        return ""

    def await_replaced(self, pod: Pod, count: int) -> None:
        """Wait until a pod is gone and its program has this many ready ones again."""

        def is_replaced() -> bool:
            now = self.pods(program_of(pod))
            return pod.uid not in {one.uid for one in now} and sum(one.ready for one in now) == count

        until(f"another in place of {pod.name}", is_replaced, seconds=READY_SECONDS, pause=1)

    def await_least(self, name: str, count: int) -> None:
        """Wait until a program has at least this many ready pods."""

        def are_ready() -> bool:
            return self.ready(name) >= count

        until(f"{count} ready pods of {name}", are_ready, seconds=READY_SECONDS, pause=1)

    def await_ready(self, name: str, count: int, *, seconds: float = READY_SECONDS) -> list[Pod]:
        """Wait until a program has exactly this many pods and all are ready; give them."""

        def are_ready() -> list[Pod]:
            now = self.pods(name)
            return now if len(now) == count and all(pod.ready for pod in now) else []

        return until(f"{count} ready pods of {name}", are_ready, seconds=seconds, pause=1)


def program_of(pod: Pod) -> str:
    """Name the program of a pod."""
    return str(pod.spec["containers"][0]["name"])


def uids(site: ClusterSite) -> dict[str, set[str]]:
    """Uids of each program's pods that are ready."""
    found: dict[str, set[str]] = {}
    for pod in site.pods():
        if pod.ready:
            found.setdefault(program_of(pod), set()).add(pod.uid)
    return found


def pod_of(found: Mapping[str, Any]) -> Pod:
    """Read a pod as the API server has it."""
    status, metadata = found["status"], found["metadata"]
    containers = status.get("containerStatuses", [])
    conditions = {one["type"]: one["status"] for one in status.get("conditions", [])}
    return Pod(
        name=metadata["name"],
        uid=metadata["uid"],
        address=status.get("podIP", ""),
        ready=conditions.get("Ready") == "True" and "deletionTimestamp" not in metadata,
        restarts=sum(one["restartCount"] for one in containers),
        container="".join(one.get("containerID", "").rpartition("/")[2] for one in containers),
        spec=found["spec"],
    )
