"""containerd beside Docker's: its images come from the Docker Engine, its containers end with the cluster."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Sequence

import docker
from docker.errors import ImageNotFound

from tests.lab.cluster import layout, processes
from tests.lab.errors import LabError

_NAMESPACE = "k8s.io"


def is_ready(node: layout.Node = layout.FIRST) -> bool:
    """True when a node's containerd answers."""
    return _ctr(node, "version").returncode == 0


def outdated(client: docker.DockerClient, references: Sequence[str]) -> dict[str, str]:
    """The images of the engine that containerd lacks or has with another id: name -> the engine's id."""
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
    load = _command(layout.FIRST, "images", "import", "-")
    with subprocess.Popen(["docker", "save", reference], stdout=subprocess.PIPE) as source:
        taken = subprocess.run(load, stdin=source.stdout, capture_output=True, text=True, check=False)
    if source.returncode != 0 or taken.returncode != 0:
        raise LabError(f"{reference} could not be copied into the cluster: {taken.stderr.strip()}")
    layout.image_store().joinpath("imported.json").write_text(
        json.dumps({**_imported(), reference: image_id}, indent=2)
    )


def hand_over(references: Sequence[str], target: layout.Node) -> None:
    """Copy images from the first node to another one, except those that it has.

    Raises:
        LabError: when one cannot be copied.
    """
    there = set(_listed(target, "images"))
    wanted = [reference for reference in references if _reference(reference) not in there]
    if not wanted:
        return
    give = _command(layout.FIRST, "images", "export", "-", *map(_reference, wanted))
    with subprocess.Popen(give, stdout=subprocess.PIPE) as source:
        take = _command(target, "images", "import", "-")
        taken = subprocess.run(take, stdin=source.stdout, capture_output=True, text=True, check=False)
    if source.returncode != 0 or taken.returncode != 0:
        raise LabError(f"images could not be copied to {target.name}: {taken.stderr.strip()}")


def kill_container(container: str) -> None:
    """Kill a container of the first node without its kubelet's knowledge.

    Raises:
        LabError: when it does not run.
    """
    signal_container(container, signal.SIGKILL)


def signal_container(container: str, number: signal.Signals) -> None:
    """Send every process of a container of the first node a signal, without its kubelet's knowledge.

    Raises:
        LabError: when it does not run.
    """
    sent = _ctr(layout.FIRST, "tasks", "kill", "--all", f"--signal={number.name}", container)
    if sent.returncode != 0:
        raise LabError(f"container {container} could not be sent {number.name}: {sent.stderr.strip()}")


def remove_containers(node: layout.Node = layout.FIRST) -> None:
    """Kill and remove every container of a node; their images stay."""
    tasks = _listed(node, "tasks")
    for task in tasks:
        _ctr(node, "tasks", "kill", "--all", "--signal=SIGKILL", task)
    if tasks:
        _ctr(node, "tasks", "delete", "--force", *tasks)
    left = _listed(node, "containers")
    if left:
        _ctr(node, "containers", "delete", *left)


def kill_shims(node: layout.Node = layout.FIRST) -> None:
    """End the processes that watch over containers, if containerd has left any."""
    processes.kill(processes.with_argument(str(node.socket)))


def _imported() -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads(layout.image_store().joinpath("imported.json").read_text())
    except FileNotFoundError:
        return {}
    return known


def _reference(image: str) -> str:
    """An image's whole name, as containerd keeps it."""
    host, slash, _ = image.partition("/")
    if not slash:
        return f"docker.io/library/{image}"
    return image if "." in host else f"docker.io/{image}"


def _listed(node: layout.Node, kind: str) -> list[str]:
    return _ctr(node, kind, "list", "--quiet").stdout.split()


def _ctr(node: layout.Node, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(node, *arguments), capture_output=True, text=True, check=False)


def _command(node: layout.Node, *arguments: str) -> list[str]:
    return ["ctr", "--address", str(node.socket), "--namespace", _NAMESPACE, *arguments]
