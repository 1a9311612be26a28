"""A stack that Flux deploys from a Git repository, with the commands and steps of docs/gitops.md."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ops.project import ROOT
from ops.render.gitops import FLUX
from tests.lab import cache
from tests.lab.cluster import flux, git_server, kubectl
from tests.lab.cluster.git_server import Login
from tests.support.cluster import Cluster
from tests.support.given_secrets import GRAFANA_LOGIN, make_grafana_login, make_secret
from tests.support.kubernetes_site import ClusterSite
from tests.support.stack import Ended
from tests.support.waiting import until

NAME = "drill"
"""Of the Pulumi stack."""
APPLIED = f"otel-stack-{NAME}"
"""Name of the GitRepository and of the Kustomization."""
IN_REPOSITORY = "deploy/prod"
GIT_LOGIN = "platform-git"
_OUT = (".git", ".venv", "__pycache__", ".*_cache", "backups")
INTERVAL_SECONDS = 60
APPLY_SECONDS = 900.0
"""As long as the Kustomization waits for what it has applied."""


@dataclass(frozen=True, kw_only=True)
class GitDeployment:
    """The stack, and the way to it.

    Attributes:
        cluster: where Flux and the stack run.
        namespace: of the stack.
        folder: has the checkout of this program and a clone of the repository that Flux reads.
        login: to the Git server.
        original: sections of the stack's file.
    """

    cluster: Cluster
    namespace: str
    folder: Path
    login: Login
    original: Mapping[str, Any]

    @property
    def site(self) -> ClusterSite:
        """Where the stack answers."""
        return ClusterSite(cluster=self.cluster, namespace=self.namespace)

    @property
    def manifest(self) -> Path:
        """The file that is applied by hand, once."""
        return self._clone / IN_REPOSITORY / "gitops" / FLUX

    @property
    def _checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def _clone(self) -> Path:
        return self.folder / "clone"

    def begin(self) -> None:
        """Push the first rendering, make the Secrets, and have Flux deploy it."""
        shutil.copytree(ROOT, self._checkout, ignore=shutil.ignore_patterns(*_OUT))
        (self._checkout / ".venv").symlink_to(ROOT / ".venv")
        self._clone.mkdir()
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("remote", "add", "origin", f"ssh://git@{git_server.ADDRESS}{git_server.FOLDER}")
        for name, content in (("identity", self.login.identity), ("known_hosts", self.login.known_hosts)):
            path = self.folder / name
            path.touch(mode=0o600)
            path.write_text(content)
        self.push()
        self._make_secrets()
        self.apply()

    def apply(self) -> None:
        """Point Flux at the repository, and wait until it has applied what was last pushed."""
        kubectl.run("apply", f"--filename={self.manifest}")
        self.await_applied(self._git("rev-parse", "HEAD").strip())

    def push(self, **sections: Mapping[str, Any]) -> str:
        """Render the stack with keys of some sections changed, push that, and give the commit."""
        config = {**self.original}
        for name, section in sections.items():
            config[name] = {**config.get(name, {}), **section}
        config["kubernetes"] = {**config.get("kubernetes", {}), **self._kubernetes()}
        text = yaml.safe_dump({"config": {f"otel-stack:{key}": value for key, value in config.items()}})
        (self._checkout / f"Pulumi.{NAME}.yaml").write_text(text)
        rendered = self.ops("render")
        assert rendered.status == 0, rendered.text
        self._git("add", "--all")
        self._git("-c", "user.name=drill", "-c", "user.email=drill@example.com", "commit", "-qm", "Render")
        self._git("push", "--quiet", "origin", "main")
        return self._git("rev-parse", "HEAD").strip()

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

    def ops(self, command: str, *arguments: str) -> Ended:
        """Run one of the operator's commands for the stack, in the checkout."""
        tools = f"{cache.binary('kubectl').parent}{os.pathsep}{os.environ['PATH']}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
            "PATH": tools,
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        ended = subprocess.run(
            [sys.executable, "-m", "ops", command, "--stack", NAME, *arguments],
            cwd=self._checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(status=ended.returncode, output=ended.stdout, messages=ended.stderr)

    def _ready(self) -> Mapping[str, str]:
        conditions = self.kustomization().get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == "Ready"), {"status": "Unknown"})

    def _kubernetes(self) -> dict[str, Any]:
        return {
            **self.cluster.provider,
            "namespace": self.namespace,
            "render": str(self._clone / IN_REPOSITORY),
            "existingSecrets": {"grafana": GRAFANA_LOGIN},
            "gitops": {
                "repository": f"git@{git_server.HOST}:{git_server.FOLDER.lstrip('/')}",
                "path": IN_REPOSITORY,
                "interval": f"{INTERVAL_SECONDS}s",
                "secret": GIT_LOGIN,
            },
        }

    def _make_secrets(self) -> None:
        kubectl.run("create", "namespace", self.namespace)
        make_grafana_login(self.namespace)
        git = {"identity": self.login.identity, "known_hosts": self.login.known_hosts}
        make_secret(GIT_LOGIN, flux.NAMESPACE, git)

    def _git(self, *arguments: str) -> str:
        options = f"-i {self.folder / 'identity'} -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes"
        ssh = f"ssh {options} -o UserKnownHostsFile={self.folder / 'known_hosts'}"
        environment = {**os.environ, "GIT_SSH_COMMAND": ssh, "GIT_CONFIG_GLOBAL": os.devnull}
        ended = subprocess.run(
            ["git", "-C", self._clone, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"git {' '.join(arguments)}: {ended.stderr}"
        return ended.stdout
