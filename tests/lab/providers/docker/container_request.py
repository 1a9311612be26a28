"""What the Docker Engine is asked for when a container is created: the inputs in its API's terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.lab.providers.docker import durations
from tests.lab.providers.docker.names import label_map, without_empty

_MB = 1024 * 1024

_HEALTH_TIMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "startPeriod": "StartPeriod",
    "startInterval": "StartInterval",
}


def body(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON document of ``POST /containers/create``."""
    ports = inputs.get("ports", [])
    volumes = [entry["containerPath"] for entry in inputs.get("volumes", []) if "containerPath" in entry]
    pairs = {
        "Image": inputs["image"],
        "Hostname": inputs.get("hostname"),
        "Domainname": inputs.get("domainname"),
        "User": inputs.get("user"),
        "Tty": inputs.get("tty"),
        "OpenStdin": inputs.get("stdinOpen"),
        "Env": inputs.get("envs"),
        "Cmd": inputs.get("command"),
        "Entrypoint": inputs.get("entrypoints"),
        "WorkingDir": inputs.get("workingDir"),
        "Labels": label_map(inputs.get("labels", [])),
        "Healthcheck": _healthcheck(inputs.get("healthcheck", {})),
        "StopSignal": inputs.get("stopSignal"),
        "StopTimeout": inputs.get("stopTimeout"),
        "ExposedPorts": {_port_key(port): {} for port in ports},
        "Volumes": {path: {} for path in volumes},
        "HostConfig": _host_config(inputs, ports),
    }
    return without_empty(pairs.items())


def megabytes(value: int) -> int:
    """Bytes of a number of megabytes; -1, "no limit", stays what it is."""
    return value * _MB if value > 0 else value


def restart_policy(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The restart policy, ``no`` unless the program says otherwise."""
    return {"Name": inputs.get("restart", "no"), "MaximumRetryCount": inputs.get("maxRetryCount", 0)}


def endpoint(network: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``connect_container_to_network`` for one entry of ``networksAdvanced``."""
    return without_empty(
        {
            "aliases": network.get("aliases"),
            "ipv4_address": network.get("ipv4Address"),
            "ipv6_address": network.get("ipv6Address"),
            "link_local_ips": network.get("linkLocalIps"),
            "driver_opt": dict(option.split("=", 1) for option in network.get("driverOpts", [])),
            "mac_address": network.get("macAddress"),
        }.items()
    )


def _host_config(inputs: Mapping[str, Any], ports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    capabilities = inputs.get("capabilities", {})
    pairs = {
        "RestartPolicy": restart_policy(inputs),
        "AutoRemove": inputs.get("rm"),
        "ReadonlyRootfs": inputs.get("readOnly"),
        "Privileged": inputs.get("privileged"),
        "PublishAllPorts": inputs.get("publishAllPorts"),
        "PortBindings": _port_bindings(ports),
        "CapAdd": capabilities.get("adds"),
        "CapDrop": capabilities.get("drops"),
        "SecurityOpt": inputs.get("securityOpts"),
        "Init": inputs.get("init"),
        "LogConfig": _log_config(inputs),
        "NetworkMode": inputs.get("networkMode", "bridge"),
        "Dns": inputs.get("dns"),
        "DnsOptions": inputs.get("dnsOpts"),
        "DnsSearch": inputs.get("dnsSearches"),
        "ExtraHosts": [f"{entry['host']}:{entry['ip']}" for entry in inputs.get("hosts", [])],
        "GroupAdd": inputs.get("groupAdds"),
        "IpcMode": inputs.get("ipcMode"),
        "PidMode": inputs.get("pidMode"),
        "UsernsMode": inputs.get("usernsMode"),
        "CgroupnsMode": inputs.get("cgroupnsMode"),
        "CgroupParent": inputs.get("cgroupParent"),
        "Runtime": inputs.get("runtime"),
        "Sysctls": inputs.get("sysctls"),
        "StorageOpt": inputs.get("storageOpts"),
        "Ulimits": [_capitals(entry, "name", "soft", "hard") for entry in inputs.get("ulimits", [])],
        **_limits(inputs),
        **_storage(inputs),
    }
    return without_empty(pairs.items())


def _limits(inputs: Mapping[str, Any]) -> dict[str, Any]:
    cpus = inputs.get("cpus")
    return {
        "NanoCpus": int(Decimal(cpus) * 10**9) if cpus else None,
        "CpuPeriod": inputs.get("cpuPeriod"),
        "CpuQuota": inputs.get("cpuQuota"),
        "CpuShares": inputs.get("cpuShares"),
        "CpusetCpus": inputs.get("cpuSet"),
        "Memory": megabytes(inputs.get("memory", 0)),
        "MemoryReservation": megabytes(inputs.get("memoryReservation", 0)),
        "MemorySwap": megabytes(inputs.get("memorySwap", 0)),
        "ShmSize": megabytes(inputs.get("shmSize", 0)),
    }


def _storage(inputs: Mapping[str, Any]) -> dict[str, Any]:
    binds, from_containers = [], []
    for entry in inputs.get("volumes", []):
        source = entry.get("volumeName") or entry.get("hostPath")
        if "fromContainer" in entry:
            from_containers.append(entry["fromContainer"])
        elif source:
            modes = ["ro" if entry.get("readOnly") else "rw", entry.get("selinuxRelabel")]
            binds.append(f"{source}:{entry['containerPath']}:{','.join(filter(None, modes))}")
    return {
        "Tmpfs": inputs.get("tmpfs"),
        "Mounts": [_mount(entry) for entry in inputs.get("mounts", [])],
        "Binds": binds,
        "VolumesFrom": from_containers,
    }


def _mount(entry: Mapping[str, Any]) -> dict[str, Any]:
    pairs = {
        "Type": entry["type"],
        "Target": entry["target"],
        "Source": entry.get("source"),
        "ReadOnly": entry.get("readOnly"),
        "BindOptions": _capitals(entry.get("bindOptions", {}), "propagation"),
        "VolumeOptions": _volume_options(entry.get("volumeOptions", {})),
        "TmpfsOptions": _capitals(entry.get("tmpfsOptions", {}), "sizeBytes", "mode"),
    }
    return without_empty(pairs.items())


def _volume_options(options: Mapping[str, Any]) -> dict[str, Any]:
    driver = {"Name": options.get("driverName"), "Options": options.get("driverOptions")}
    pairs = {
        "NoCopy": options.get("noCopy"),
        "Labels": label_map(options.get("labels", [])),
        "DriverConfig": without_empty(driver.items()),
        "Subpath": options.get("subpath"),
    }
    return without_empty(pairs.items())


def _healthcheck(check: Mapping[str, Any]) -> dict[str, Any]:
    times = {theirs: durations.parse(check.get(ours, "0s")) for ours, theirs in _HEALTH_TIMES.items()}
    said = {"Test": check.get("tests"), "Retries": check.get("retries"), **times}
    return {key: value for key, value in said.items() if value}


def _log_config(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return without_empty({"Type": inputs.get("logDriver"), "Config": inputs.get("logOpts")}.items())


def _port_key(port: Mapping[str, Any]) -> str:
    return f"{port['internal']}/{port.get('protocol', 'tcp')}"


def _port_bindings(ports: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        host_port = str(port.get("external") or "")
        binding = {"HostIp": port.get("ip", "0.0.0.0"), "HostPort": host_port}
        bindings.setdefault(_port_key(port), []).append(binding)
    return bindings


def _capitals(entry: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The named properties under the Docker Engine's names, which start with a capital."""
    return {name[0].upper() + name[1:]: entry[name] for name in names if name in entry}
