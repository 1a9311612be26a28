"""A stack that Flux deploys from a Git repository."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ops.render.gitops import FLUX
from tests.lab.cluster import flux, kubectl
from tests.support.git_deployment import APPLIED, APPLY_SECONDS, GitDeployment
from tests.support.given_secrets import make_secret
from tests.support.waiting import until

GIT_LOGIN = "platform-git"
INTERVAL_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class FluxDeployment(GitDeployment):
    """The stack, Flux, and what Flux says."""

    FILE = FLUX
    GITOPS: ClassVar[Mapping[str, str]] = {"interval": f"{INTERVAL_SECONDS}s", "secret": GIT_LOGIN}

    def give_access(self) -> None:
        """Make the Secret that ``kubernetes.gitops.secret`` names."""
        git = {"identity": self.login.identity, "known_hosts": self.login.known_hosts}
        make_secret(GIT_LOGIN, flux.NAMESPACE, git)

    def await_applied(self, commit: str) -> None:
        """Wait until Flux has applied a commit and found all of it ready."""

        def is_applied() -> bool:
            status = self.kustomization().get("status", {})
            done = (status.get("lastAppliedRevision", "").endswith(commit), self._ready()["status"])
            assert done == (True, "True"), f"{status.get('lastAppliedRevision')}: {self._ready()}"
            return True

        until(
            f"Flux to apply {commit}", is_applied, seconds=APPLY_SECONDS, pause=1, forgive=(AssertionError,)
        )

    def await_refused(self, commit: str, why: str) -> None:
        """Wait until Flux has tried to apply a commit and says that it cannot."""

        def is_refused() -> bool:
            tried = self.kustomization()["status"].get("lastAttemptedRevision", "").endswith(commit)
            return tried and self._ready()["status"] == "False" and why in self._ready()["message"]

        until(f"Flux to say: {why}", is_refused, seconds=APPLY_SECONDS, pause=1)

    def reconcile(self) -> None:
        """Have Flux look and apply at once, as ``flux reconcile`` does, and wait until it has."""
        for kind in ("gitrepository", "kustomization"):
            asked = str(time.time())
            name = (f"--namespace={flux.NAMESPACE}", kind, APPLIED)
            kubectl.run("annotate", "--overwrite", *name, f"reconcile.fluxcd.io/requestedAt={asked}")

            def is_handled(asked: str = asked, name: tuple[str, ...] = name) -> bool:
                status = self.cluster.get(*name)["status"]
                (ready,) = (one for one in status["conditions"] if one["type"] == "Ready")
                return (status.get("lastHandledReconcileAt"), ready["status"]) == (asked, "True")

            until(f"Flux to reconcile the {kind}", is_handled, seconds=APPLY_SECONDS, pause=1)

    def suspend(self, *, suspended: bool) -> None:
        """Have Flux leave the stack alone, or look after it again."""
        change = json.dumps({"spec": {"suspend": suspended}})
        name = (f"--namespace={flux.NAMESPACE}", "kustomization", APPLIED)
        kubectl.run("patch", *name, "--type=merge", f"--patch={change}")

    def kustomization(self) -> dict[str, Any]:
        """Flux's Kustomization as it is now."""
        return self.cluster.get(f"--namespace={flux.NAMESPACE}", "kustomization", APPLIED)

    def _ready(self) -> Mapping[str, str]:
        conditions = self.kustomization().get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == "Ready"), {"status": "Unknown"})
