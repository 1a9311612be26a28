"""containerd beside Docker's: its images come from the Docker Engine, its containers end with the cluster."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

import docker
from docker.errors import ImageNotFound

from tests.lab.cluster import layout, processes
from tests.lab.errors import LabError

_NAMESPACE = "k8s.io"
_SHIM_ADDRESS = f"{layout.CONTAINERD_SOCKET}"


def is_ready() -> bool:
    """True when containerd answers."""
    return _ctr("version").returncode == 0


def outdated(client: docker.DockerClient, references: Sequence[str]) -> dict[str, str]:
    """The images that the engine has and containerd has not, or not the same: name -> the engine's id."""
    known = _imported()
    found: dict[str, str] = {}
    for reference in references:
        try:
            image_id = str(client.images.get(reference).id)
        except ImageNotFound:
            continue
        if known.get(reference) != image_id:
            found[reference] = image_id
    return found


def import_image(reference: str, image_id: str) -> None:
    """Copy one image from the Docker Engine.

    Raises:
        LabError: when the engine cannot give it or containerd cannot take it.
    """
    load = _command("images", "import", "-")
    with subprocess.Popen(["docker", "save", reference], stdout=subprocess.PIPE) as source:
        taken = subprocess.run(load, stdin=source.stdout, capture_output=True, text=True, check=False)
    if source.returncode != 0 or taken.returncode != 0:
        raise LabError(f"{reference} could not be copied into the cluster: {taken.stderr.strip()}")
    layout.image_store().joinpath("imported.json").write_text(
        json.dumps({**_imported(), reference: image_id}, indent=2)
    )


def remove_containers() -> None:
    """Kill and remove every container; their images stay."""
    tasks = _listed("tasks")
    for task in tasks:
        _ctr("tasks", "kill", "--all", "--signal=SIGKILL", task)
    if tasks:
        _ctr("tasks", "delete", "--force", *tasks)
    containers = _listed("containers")
    if containers:
        _ctr("containers", "delete", *containers)


def kill_shims() -> None:
    """End what watches over containers, should containerd have left any."""
    processes.kill(processes.with_argument(_SHIM_ADDRESS))


def _imported() -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads(layout.image_store().joinpath("imported.json").read_text())
    except FileNotFoundError:
        return {}
    return known


def _listed(kind: str) -> list[str]:
    return _ctr(kind, "list", "--quiet").stdout.split()


def _ctr(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(*arguments), capture_output=True, text=True, check=False)


def _command(*arguments: str) -> list[str]:
    return ["ctr", "--address", str(layout.CONTAINERD_SOCKET), "--namespace", _NAMESPACE, *arguments]
