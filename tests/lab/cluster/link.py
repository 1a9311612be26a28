"""The second node's network: a namespace of its own, joined to the first one by a pair of interfaces."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lab.cluster import layout
from tests.lab.errors import LabError

_NODE = layout.SECOND
_SPACE = _NODE.network_namespace
_HERE, _THERE = "otel-lab-to-2", "otel-lab-to-1"
_HERE_ADDRESS, _THERE_ADDRESS = "10.244.254.1", "10.244.254.2"
"""The ends of the pair; no pod has an address of this /24."""
_COMMENT = ("-m", "comment", "--comment", "otel-stack-lab second node")
RULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("filter", "FORWARD", ("-i", _HERE, "-j", "ACCEPT")),
    ("nat", "POSTROUTING", ("-s", layout.POD_NETWORK, "-d", _NODE.pod_network, "-j", "RETURN")),
)
"""Table, chain and rule. Pods of the two nodes see each other's addresses."""
_SETTINGS = ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables")


def up() -> None:
    """Make the namespace with the node's bridge, the pair, and the routes both ways.

    Raises:
        LabError: when the kernel or ``iptables`` refuses.
    """
    if not is_there():
        _run("ip", "netns", "add", _SPACE)
        _run("ip", "link", "add", _HERE, "type", "veth", "peer", "name", _THERE, "netns", _SPACE)
        _run("ip", "address", "add", f"{_HERE_ADDRESS}/30", "dev", _HERE)
        _run("ip", "link", "set", _HERE, "up")
        _run("ip", "route", "add", _NODE.pod_network, "via", _THERE_ADDRESS)
        _make_inside()
    for table, chain, rule in RULES:
        if not _succeeds("iptables", "-w", "-t", table, "-C", chain, *rule, *_COMMENT):
            _run("iptables", "-w", "-t", table, "-I", chain, *rule, *_COMMENT)


def down() -> None:
    """Remove the namespace, the pair with it, and the rules of ``up``."""
    for table, chain, rule in RULES:
        while _succeeds("iptables", "-w", "-t", table, "-D", chain, *rule, *_COMMENT):
            pass
    if is_there():
        _succeeds("ip", "link", "delete", _HERE)
        _run("ip", "netns", "delete", _SPACE)


def is_there() -> bool:
    """True when the second node has its network."""
    return Path(f"/run/netns/{_SPACE}").exists()


def _make_inside() -> None:
    length = _NODE.pod_network.partition("/")[2]
    _inside("link", "set", "lo", "up")
    _inside("address", "add", f"{_THERE_ADDRESS}/30", "dev", _THERE)
    _inside("link", "set", _THERE, "up")
    _inside("link", "add", layout.BRIDGE, "type", "bridge")
    _inside("address", "add", f"{_NODE.address}/{length}", "dev", layout.BRIDGE)
    _inside("link", "set", layout.BRIDGE, "up")
    _inside("route", "add", "default", "via", _HERE_ADDRESS, "src", _NODE.address)
    for setting in _SETTINGS:
        _run("nsenter", f"--net=/run/netns/{_SPACE}", "--", "sh", "-c", f"echo 1 > /proc/sys/{setting}")


def _inside(*arguments: str) -> None:
    _run("ip", "-netns", _SPACE, *arguments)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"{' '.join(command)} failed: {result.stderr.strip() or result.stdout.strip()}")
