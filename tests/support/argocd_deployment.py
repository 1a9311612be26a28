"""A stack that Argo CD deploys from a Git repository."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ops.render.gitops import ARGO_CD
from tests.lab.cluster import argocd, kubectl
from tests.support.git_deployment import APPLIED, APPLY_SECONDS, REPOSITORY, GitDeployment
from tests.support.waiting import until

PROJECT = "platform"
HERE = "https://kubernetes.default.svc"
_REFRESH = "argocd.argoproj.io/refresh"
_FINALIZER = "resources-finalizer.argocd.argoproj.io"
_MANAGER = "argocd-controller"
"""As which Argo CD writes objects."""
_LOOK_SECONDS, _GONE_SECONDS = 120.0, 600
_THEIRS = ("application", APPLIED, f"--namespace={argocd.NAMESPACE}")


@dataclass(frozen=True, kw_only=True)
class ArgoDeployment(GitDeployment):
    """The stack, Argo CD, and what Argo CD says."""

    FILE = ARGO_CD
    GITOPS: ClassVar[Mapping[str, str]] = {"argoProject": PROJECT}

    def give_access(self) -> None:
        """Make what ``argocd repo add`` makes, and a project that allows what the documents ask for."""
        name = {"namespace": argocd.NAMESPACE}
        kind = {"argocd.argoproj.io/secret-type": "repository"}
        repository = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {**name, "name": "repository", "labels": kind},
            "stringData": {"type": "git", "url": REPOSITORY, "sshPrivateKey": self.login.identity},
        }
        project = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {**name, "name": PROJECT},
            "spec": {
                "sourceRepos": [REPOSITORY],
                "destinations": [{"server": HERE, "namespace": self.namespace}],
                "clusterResourceWhitelist": [
                    {"group": "", "kind": "Namespace"},
                    {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"},
                    {"group": "rbac.authorization.k8s.io", "kind": "ClusterRoleBinding"},
                ],
            },
        }
        for one in (repository, project):
            kubectl.apply(json.dumps(one))

    def await_applied(self, commit: str) -> None:
        """Wait until Argo CD has applied a commit, finds no difference, and all of it healthy."""

        def is_applied() -> bool:
            sync, health, phase, compared = self.state()
            found = (sync, health, phase or "Succeeded", compared)  # none where all was there before
            assert found == ("Synced", "Healthy", "Succeeded", commit), f"{found}: {self.complaints()}"
            return True

        until(
            f"Argo CD to apply {commit}",
            is_applied,
            seconds=APPLY_SECONDS,
            pause=1,
            forgive=(AssertionError,),
        )

    def await_ended(self, commit: str, phase: str, said: str = "") -> None:
        """Wait until Argo CD has applied a commit, or has given up and says why."""

        def has_ended() -> bool:
            last = self._last(commit)
            return last.get("phase") == phase and said in last["message"]

        until(f"the sync to have {phase}: {said}", has_ended, seconds=APPLY_SECONDS, pause=1)

    def await_waiting(self, commit: str) -> None:
        """Wait until Argo CD waits for what it has applied of a commit."""

        def is_waiting() -> bool:
            last = self._last(commit)
            return last.get("phase") == "Running" and last["message"].startswith("waiting for healthy state")

        until("the sync to wait", is_waiting, seconds=APPLY_SECONDS, pause=1)

    def refresh(self) -> None:
        """Have Argo CD compare all again, and wait until it has."""
        kubectl.run("annotate", "--overwrite", *_THEIRS, f"{_REFRESH}=hard")

        def has_looked() -> bool:
            return _REFRESH not in self.application()["metadata"].get("annotations", {})

        until("Argo CD to look", has_looked, seconds=_LOOK_SECONDS, pause=1)

    def await_in_sync(self) -> None:
        """Wait until Argo CD finds no difference any more, and all healthy."""

        def is_in_sync() -> bool:
            assert self.state()[:3] == ("Synced", "Healthy", "Succeeded"), self.complaints()
            return True

        until("all to be in sync", is_in_sync, seconds=APPLY_SECONDS, pause=1, forgive=(AssertionError,))

    def sync(self) -> None:
        """Do what ``argocd app sync`` does."""
        options = self.application()["spec"]["syncPolicy"]["syncOptions"]
        self.change({"operation": {"initiatedBy": {"username": "drill"}, "sync": {"syncOptions": options}}})

    def end_operation(self) -> None:
        """Do what ``argocd app terminate-op`` does."""
        self.change({"status": {"operationState": {"phase": "Terminating"}}})

    def remove(self) -> None:
        """Delete the Application with what it has applied."""
        if not self.cluster.kubectl("get", "--ignore-not-found", *_THEIRS):
            return
        if self.state()[2] == "Running":  # a sync that waits for something would not let it go
            self.end_operation()
        self.change({"metadata": {"finalizers": [_FINALIZER]}})
        kubectl.run("delete", *_THEIRS, f"--timeout={_GONE_SECONDS}s")

    def _last(self, commit: str) -> dict[str, Any]:
        """The last operation, if it is of a commit."""
        found: dict[str, Any] = self.application()["status"].get("operationState", {})
        return found if found.get("syncResult", {}).get("revision") == commit else {}

    def written(self) -> dict[tuple[str, str], tuple[int | None, str]]:
        """Generation of each object that Argo CD has applied, and when it last wrote it."""
        found: dict[tuple[str, str], tuple[int | None, str]] = {}
        for entry in self.application()["status"]["resources"]:
            kind, name, group = entry["kind"], entry["name"], entry.get("group")
            place = [f"--namespace={entry['namespace']}"] if "namespace" in entry else []
            type_ = f"{kind}.{entry['version']}.{group}" if group else kind
            found[kind, name] = self.last_written(_MANAGER, type_, name, *place)
        return found

    def application(self) -> dict[str, Any]:
        """The Application as it is now."""
        return self.cluster.get(*_THEIRS)

    def change(self, change: Mapping[str, Any]) -> None:
        """Change the Application."""
        kubectl.run("patch", *_THEIRS, "--type=merge", f"--patch={json.dumps(change)}")

    def state(self) -> tuple[str, ...]:
        """What it says of sync, health and the last operation, and the commit that it compares with."""
        status = self.application().get("status", {})
        return (
            status.get("sync", {}).get("status", ""),
            status.get("health", {}).get("status", ""),
            status.get("operationState", {}).get("phase", ""),
            status.get("sync", {}).get("revision", ""),
        )

    def complaints(self) -> list[str]:
        """What it says against itself, and of what is not in sync or not healthy."""
        status = self.application().get("status", {})
        said = [one["message"] for one in status.get("conditions", [])]
        said += [status.get("operationState", {}).get("message", "")]
        for one in status.get("resources", []):
            sync, health = one.get("status"), one.get("health", {})
            if (sync, health.get("status", "Healthy")) != ("Synced", "Healthy"):
                said.append(f"{one['kind']} {one['name']}: {sync} {health.get('message', '')}")
        return said
