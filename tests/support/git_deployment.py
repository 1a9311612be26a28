"""A stack that is deployed from a Git repository, with the commands and steps of docs/gitops.md."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ops.project import ROOT
from tests.lab import cache
from tests.lab.cluster import git_server, kubectl
from tests.lab.cluster.git_server import Login
from tests.support.cluster import Cluster
from tests.support.given_secrets import GRAFANA_LOGIN, make_grafana_login
from tests.support.kubernetes_site import ClusterSite
from tests.support.stack import Ended

NAME = "drill"
"""Of the Pulumi stack."""
APPLIED = f"otel-stack-{NAME}"
"""Name of the objects that point at the repository."""
IN_REPOSITORY = "deploy/prod"
REPOSITORY = f"git@{git_server.HOST}:{git_server.FOLDER.lstrip('/')}"
_OUT = (".git", ".venv", "__pycache__", ".*_cache", "backups")
APPLY_SECONDS = 900.0
"""As long as Flux's Kustomization waits for what it has applied."""


@dataclass(frozen=True, kw_only=True)
class GitDeployment(ABC):
    """The stack, and the way to it.

    Attributes:
        cluster: where the stack runs, and what deploys it.
        namespace: of the stack.
        folder: has the checkout of this program and a clone of the repository that is deployed.
        login: to the Git server.
        original: sections of the stack's file.
    """

    FILE: ClassVar[str]
    """What is applied by hand, once."""
    GITOPS: ClassVar[Mapping[str, str]]
    """Settings below ``kubernetes.gitops`` besides the place."""

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
        return self._clone / IN_REPOSITORY / "gitops" / self.FILE

    @property
    def _checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def _clone(self) -> Path:
        return self.folder / "clone"

    def begin(self) -> None:
        """Push the first rendering, make the Secrets, and have it deployed."""
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
        kubectl.run("create", "namespace", self.namespace)
        make_grafana_login(self.namespace)
        self.give_access()
        self.apply()

    @abstractmethod
    def give_access(self) -> None:
        """Let what deploys the stack read the repository."""

    @abstractmethod
    def await_applied(self, commit: str) -> None:
        """Wait until a commit is applied and all of it is ready."""

    def apply(self) -> None:
        """Have the repository deployed, and wait until what was last pushed is."""
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

    def last_written(self, manager: str, kind: str, name: str, *place: str) -> tuple[int | None, str]:
        """Give the generation of an object, and when its manager last applied it."""
        found = self.cluster.get(*place, kind, name, "--show-managed-fields")["metadata"]
        (time,) = (
            fields["time"]
            for fields in found["managedFields"]
            if fields["manager"] == manager and fields["operation"] == "Apply"
        )
        return found.get("generation"), time

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

    def _kubernetes(self) -> dict[str, Any]:
        return {
            **self.cluster.provider,
            "namespace": self.namespace,
            "render": str(self._clone / IN_REPOSITORY),
            "existingSecrets": {"grafana": GRAFANA_LOGIN},
            "gitops": {"repository": REPOSITORY, "path": IN_REPOSITORY, **self.GITOPS},
        }

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
