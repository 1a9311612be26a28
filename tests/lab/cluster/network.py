"""The pods' bridge and this machine's packet filter: set up, and restored to how they were found."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.lab.cluster import layout
from tests.lab.errors import LabError

_COMMENT = ("-m", "comment", "--comment", "otel-stack-lab")
RULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("filter", "FORWARD", ("-i", layout.BRIDGE, "-j", "ACCEPT")),
    (
        "filter",
        "FORWARD",
        ("-o", layout.BRIDGE, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"),
    ),
    ("nat", "POSTROUTING", ("-s", layout.POD_NETWORK, "!", "-o", layout.BRIDGE, "-j", "MASQUERADE")),
)
"""Table, chain and rule. Docker drops what it does not forward itself, so the pods' packets are let through
first; to other machines they carry this machine's address."""
_LOST = ("blackhole", layout.CLUSTER_NETWORK)
_TABLES = ("filter", "nat", "mangle")
_OWN_CHAINS = "KUBE-"
"""Prefix of the names of Kubernetes' chains and of kube-router's sets of addresses."""
_POLICIES = "KUBE-ROUTER-FORWARD"
_COMMANDS = ("iptables", "ip6tables")
_SETTINGS = {
    "/proc/sys/net/ipv4/ip_forward": "1",
    "/proc/sys/net/bridge/bridge-nf-call-iptables": "1",
}
_MODULE = "br_netfilter"
_NOTES = Path("/var/lib/cni/results")


def up() -> None:
    """Make the bridge with its address, and let its packets pass.

    Packets for a pod that is gone with its node are dropped: they must not reach other machines, whose answer
    a program would take for the pod's.

    Raises:
        LabError: when the kernel or ``iptables`` refuses.
    """
    if not _bridge_exists():
        _run("ip", "link", "add", layout.BRIDGE, "type", "bridge")
        length = layout.POD_NETWORK.partition("/")[2]
        _run("ip", "address", "add", f"{layout.NODE_ADDRESS}/{length}", "dev", layout.BRIDGE)
    _run("ip", "link", "set", layout.BRIDGE, "up")
    _run("ip", "route", "replace", *_LOST)
    if not Path("/proc/sys/net/bridge").exists():
        _run("modprobe", _MODULE)
    for setting, value in _SETTINGS.items():
        Path(setting).write_text(value)
    for table, chain, rule in RULES:
        if not _succeeds("iptables", "-w", "-t", table, "-C", chain, *rule, *_COMMENT):
            _run("iptables", "-w", "-t", table, "-I", chain, *rule, *_COMMENT)


def down() -> None:
    """Remove the bridge, the rules of ``up``, and what the kubelet, kube-proxy and kube-router made."""
    for table, chain, rule in RULES:
        while _succeeds("iptables", "-w", "-t", table, "-D", chain, *rule, *_COMMENT):
            pass
    for program in _COMMANDS:
        for table in _TABLES:
            commands = removal(table, _run(f"{program}-save", "-t", table))
            if commands:
                _run(f"{program}-restore", "-w", "--noflush", text=commands)
    for name in _address_sets():
        _run("ipset", "destroy", name)
    _succeeds("ip", "route", "delete", *_LOST)
    if _bridge_exists():
        _run("ip", "link", "delete", layout.BRIDGE)
    _forget_addresses()


def removal(table: str, saved: str) -> str:
    """What ``iptables-restore`` has to read to remove Kubernetes' chains from a table and nothing else.

    ``saved`` is what ``iptables-save`` prints of the table. Empty when there is nothing to remove.
    """
    lines = saved.splitlines()
    chains = [line[1:].split()[0] for line in lines if line.startswith(f":{_OWN_CHAINS}")]
    if not chains:
        return ""
    jumps = [
        f"-D{line[2:]}"
        for line in lines
        if line.startswith("-A ") and not line.startswith(f"-A {_OWN_CHAINS}") and f"-j {_OWN_CHAINS}" in line
    ]
    flush = [f":{chain} - [0:0]" for chain in chains]
    delete = [f"-X {chain}" for chain in chains]
    return "\n".join([f"*{table}", *flush, *jumps, *delete, "COMMIT", ""])


def enforces_policies() -> bool:
    """True when the pods' packets pass the policies' rules."""
    return _succeeds("iptables", "-w", "-S", _POLICIES)


def leftovers() -> list[str]:
    """What is left of the cluster's network, in words."""
    found = [f"bridge {layout.BRIDGE}"] if _bridge_exists() else []
    found += [f"route {line}" for line in _run("ip", "route", "show", "type", *_LOST).splitlines()]
    for program in _COMMANDS:
        for table in _TABLES:
            saved = _run(f"{program}-save", "-t", table)
            found += [
                f"{program} -t {table}: {line}"
                for line in saved.splitlines()
                if _OWN_CHAINS in line or _COMMENT[-1] in line
            ]
    return found + [f"ipset {name}" for name in _address_sets()]


def _address_sets() -> list[str]:
    """The sets of addresses that rules of NetworkPolicies name."""
    if shutil.which("ipset") is None:
        return []
    return [name for name in _run("ipset", "list", "-name").splitlines() if name.startswith(_OWN_CHAINS)]


def _forget_addresses() -> None:
    """Remove what the CNI library noted about this network's pods, their loopback included."""
    for note in _NOTES.glob(f"{layout.BRIDGE}-*-eth0"):
        container = note.name.removeprefix(f"{layout.BRIDGE}-").removesuffix("-eth0")
        (_NOTES / f"cni-loopback-{container}-lo").unlink(missing_ok=True)
        note.unlink()


def _bridge_exists() -> bool:
    links = json.loads(_run("ip", "-json", "link", "show", "type", "bridge") or "[]")
    return any(link.get("ifname") == layout.BRIDGE for link in links)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(*command: str, text: str | None = None) -> str:
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"{' '.join(command)} failed: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout
