"""What the state holds of a container: the program's inputs, overlaid by what the Docker Engine says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.lab.providers.docker import durations
from tests.lab.providers.docker.names import without_empty

_MB = 1024 * 1024


def outputs(recorded: Mapping[str, Any], inspected: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded inputs with everything that is read back from ``GET /containers/{id}/json``.

    A container that does not run has ``mustRun`` false: where the program wants true, the next preview shows
    that as a change and its update starts the container.
    """
    config, host, state = inspected["Config"], inspected["HostConfig"], inspected["State"]
    runs = state["Running"]
    return {
        **recorded,
        **without_empty(_computed(config, host).items()),
        **_limits(recorded, host),
        "name": inspected["Name"].lstrip("/"),
        "image": _image(recorded, inspected),
        "mustRun": recorded.get("mustRun", True) and runs,
        "restart": host["RestartPolicy"]["Name"] or "no",
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        **networks(inspected),
        **({} if runs else {"exitCode": state["ExitCode"]}),
    }


def _computed(config: Mapping[str, Any], host: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "command": config.get("Cmd"),
        "entrypoints": config.get("Entrypoint"),
        "hostname": config.get("Hostname"),
        "healthcheck": _healthcheck(config.get("Healthcheck")),
        "init": host.get("Init"),
        "ipcMode": host.get("IpcMode"),
        "logDriver": host["LogConfig"]["Type"],
        "runtime": host.get("Runtime"),
        "securityOpts": host.get("SecurityOpt"),
        "shmSize": host.get("ShmSize", 0) // _MB,
        "stopSignal": config.get("StopSignal"),
        "stopTimeout": config.get("StopTimeout"),
    }


def _limits(recorded: Mapping[str, Any], host: Mapping[str, Any]) -> dict[str, Any]:
    """The limits; a host that cannot limit swap says -1, and then the requested value stays."""
    swap = host.get("MemorySwap", 0)
    return {
        "cpuShares": host.get("CpuShares", 0),
        "cpuSet": host.get("CpusetCpus", ""),
        **({"cpus": _cores(host["NanoCpus"])} if host.get("NanoCpus") else {}),
        "memory": host.get("Memory", 0) // _MB,
        "memoryReservation": host.get("MemoryReservation", 0) // _MB,
        "memorySwap": swap // _MB if swap > 0 else recorded.get("memorySwap", 0),
    }


def _cores(nano: int) -> str:
    """A number of cores in the official plugin's words: ``1.0``, ``0.5``, ``10.``."""
    text = f"{nano / 1e9:.9f}"
    return f"{nano / 1e9:.1f}" if text.count("0") == 9 else text.rstrip("0")


def _healthcheck(check: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not check:
        return None
    return {
        "tests": check.get("Test") or [],
        "interval": durations.render(check.get("Interval", 0)),
        "timeout": durations.render(check.get("Timeout", 0)),
        "startPeriod": durations.render(check.get("StartPeriod", 0)),
        "startInterval": durations.render(check.get("StartInterval", 0)),
        "retries": check.get("Retries", 0),
    }


def _image(recorded: Mapping[str, Any], inspected: Mapping[str, Any]) -> Any:
    by_id = str(recorded.get("image", "")).startswith("sha256:")
    return inspected["Image"] if by_id else inspected["Config"]["Image"]


def networks(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that say how the container is reached; its addresses change when it is restarted."""
    settings = inspected["NetworkSettings"]
    return {"bridge": settings.get("Bridge", ""), "networkDatas": _network_data(settings)}


def _network_data(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "networkName": name,
            "ipAddress": network["IPAddress"],
            "ipPrefixLength": network["IPPrefixLen"],
            "gateway": network["Gateway"],
            "globalIpv6Address": network["GlobalIPv6Address"],
            "globalIpv6PrefixLength": network["GlobalIPv6PrefixLen"],
            "ipv6Gateway": network["IPv6Gateway"],
            "macAddress": network["MacAddress"],
        }
        for name, network in sorted((settings.get("Networks") or {}).items())
    ]
