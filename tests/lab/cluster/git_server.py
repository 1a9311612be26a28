"""A Git server in the cluster, for as long as a drill needs it: one empty repository behind SSH."""

from __future__ import annotations

import json
from dataclasses import dataclass
from string import Template

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.lab import git_server
from tests.lab.cluster import kubectl, layout, operators
from tests.lab.progress import step

HOST = f"git.git.svc.{layout.DOMAIN}"
"""Its name, which pods resolve."""
ADDRESS = "10.96.0.22"
"""Of its Service: the node, which does not resolve names of the cluster, reaches it here."""
FOLDER = "/org/platform.git"
_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Login:
    """What lets a client in, and tells it that the server is the right one.

    Attributes:
        identity: private key.
        known_hosts: the server's public key under its name and its address.
    """

    identity: str
    known_hosts: str


def up() -> Login:
    """Start it with an empty repository and wait until it answers.

    Raises:
        LabError: when it has not been built, or does not start in time.
    """
    operators.bring_in([git_server.IMAGE])
    host, client = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    with step("Git server"):
        kubectl.apply(_manifest(host=_private(host), client=_public(client)))
        kubectl.run("-n", "git", "rollout", "status", "deployment/git", f"--timeout={_SECONDS}s")
    return Login(identity=_private(client), known_hosts=f"{HOST},{ADDRESS} {_public(host)}\n")


def down() -> None:
    """Remove it with all that was pushed to it."""
    operators.remove(_manifest(host="", client=""))


def _manifest(**keys: str) -> str:
    given = {"image": git_server.IMAGE.reference, "address": ADDRESS, "folder": FOLDER, **keys}
    quoted = {name: json.dumps(value) for name, value in given.items()}
    return Template(git_server.MANIFEST.read_text()).substitute(quoted)


def _private(key: ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()


def _public(key: ed25519.Ed25519PrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode()
    )
