"""The Kubernetes objects of a stack as plain data: as the program registers them, or as rendered files."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.program import Result, unwrapped

Manifest = dict[str, Any]

TEMPLATED = ("Deployment", "StatefulSet")
CLUSTER_WIDE = ("Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "PriorityClass")
FOR_ALL = ("otlp_grpc_endpoint", "otlp_http_endpoint", "grafana_url")
FOR_READERS = ("traces_ui_url", "traces_query_url", "metrics_query_url", "logs_query_url")
"""Outputs with the address of stores, which only those of the setting ``kubernetes.readers`` can reach."""

API_PORTS = frozenset({443, 6443})
"""Of the API server, where the settings name no others."""

DNS_PORTS = frozenset({53})
"""Of the cluster's DNS, where the settings name no others."""

STAND_IN = "autonamed"
"""In place of the characters that the provider appends to a name of its own."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A Deployment or StatefulSet, and what its pods are made of.

    Attributes:
        object: the Deployment or StatefulSet itself.
    """

    object: Manifest

    @property
    def name(self) -> str:
        """Its name, which is also that of its only container."""
        return name_of(self.object)

    @property
    def template(self) -> Manifest:
        """What each pod is made from."""
        found: Manifest = self.object["spec"]["template"]
        return found

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of its pods."""
        found: Mapping[str, str] = self.template["metadata"]["labels"]
        return found

    @property
    def pod(self) -> Manifest:
        """The pods' spec."""
        found: Manifest = self.template["spec"]
        return found

    @property
    def containers(self) -> list[Manifest]:
        """All containers, including those that run before the others."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def ports(self) -> set[tuple[int, str]]:
        """What its containers say they listen on: number and protocol."""
        return {
            (port["containerPort"], port.get("protocol", "TCP"))
            for container in self.containers
            for port in container.get("ports", [])
        }

    def environment(self) -> dict[str, str]:
        """Variables of its containers with a value of their own."""
        return {
            variable["name"]: variable["value"]
            for container in self.containers
            for variable in container.get("env", [])
            if "value" in variable
        }


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Everything that one stack has in a cluster.

    Attributes:
        objects: the objects, in no order.
        addresses: what the stack tells others to connect to: its outputs.
        foreign_secrets: Secrets that the settings name and somebody else keeps.
        api_ports: ports of the cluster's API server.
        dns_ports: ports to which DNS queries go.
        egress_ports: further ports of whatever is outside.
    """

    objects: list[Manifest]
    addresses: Mapping[str, str] = field(default_factory=dict)
    foreign_secrets: frozenset[str] = frozenset()
    api_ports: frozenset[int] = API_PORTS
    dns_ports: frozenset[int] = DNS_PORTS
    egress_ports: frozenset[int] = frozenset()

    def of(self, *kinds: str) -> list[Manifest]:
        """Give the objects of some kinds."""
        return [one for one in self.objects if one["kind"] in kinds]

    def get(self, kind: str, name: str) -> Manifest:
        """Give one object.

        Raises:
            KeyError: it is not there.
        """
        for one in self.of(kind):
            if name_of(one) == name:
                return one
        raise KeyError(f"no {kind} {name}; there are {sorted(map(name_of, self.of(kind)))}")

    def programs(self) -> list[Program]:
        """Give everything that runs pods."""
        return [Program(object=one) for one in self.of(*TEMPLATED)]

    def program(self, name: str) -> Program:
        """Give one of them.

        Raises:
            KeyError: there is none of that name, or more than one.
        """
        named = [one for one in self.programs() if one.name == name]
        if len(named) != 1:
            raise KeyError(f"{len(named)} programs {name}; there are {[one.name for one in self.programs()]}")
        return named[0]

    def document(self, name: str, path: str) -> Any:
        """Read a configuration text that a program's pods find, of YAML or JSON."""
        return yaml.safe_load(self.files(self.program(name))[path])

    def selected(self, selector: Mapping[str, Any]) -> list[Program]:
        """Give the programs whose pods a label selector selects."""
        wanted = selector.get("matchLabels", {}).items()
        return [program for program in self.programs() if wanted <= program.labels.items()]

    def files(self, program: Program) -> dict[str, str]:
        """Give the configuration texts that a program's pods see, by path."""
        found: dict[str, str] = {}
        for source in config_sources(program):
            reference = source.get("configMap")
            if reference is not None:
                data = self.get("ConfigMap", reference["name"])["data"]
                found |= {item["path"]: data[item["key"]] for item in reference["items"]}
        return found

    def changed(self, change: Callable[[Tree], object]) -> Tree:
        """Give a copy with a change applied."""
        changed = copy.deepcopy(self)
        change(changed)
        return changed


def secrets_of_operators(found: Tree) -> set[str]:
    """Give the Secrets that Strimzi makes for the cluster and the users requested of it."""
    return {
        *(f"{name_of(one)}-cluster-ca-cert" for one in found.of("Kafka")),
        *(name_of(one) for one in found.of("KafkaUser")),
    }


def tree(result: Result, config: Mapping[str, Any]) -> Tree:
    """Give the objects that the program registered with a configuration."""
    section = config.get("kubernetes", {})
    kept = {*section.get("existingSecrets", {}).values(), *section.get("imagePullSecrets", [])}
    tls = section.get("exposure", {}).get("tlsSecret")
    return Tree(
        objects=list(_manifests(result)),
        addresses={
            key: value
            for key, value in result.outputs.items()
            if key in FOR_ALL or (key in FOR_READERS and section.get("readers"))
        },
        foreign_secrets=frozenset(kept | ({tls} if tls else set())),
        api_ports=frozenset(section.get("apiPorts", API_PORTS)),
        dns_ports=frozenset(section.get("dnsPorts", DNS_PORTS)),
        egress_ports=frozenset(section.get("egressPorts", ())),
    )


def read(folder: Path) -> list[Manifest]:
    """Read the objects of rendered files."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.yaml")))
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def dump(objects: list[Manifest]) -> str:
    """Write objects as one YAML text, in an order that does not depend on how they were made."""
    ordered = sorted(objects, key=identity)
    return yaml.safe_dump_all(ordered, sort_keys=True, width=110)


def identity(one: Manifest) -> str:
    """Name an object within its cluster."""
    return f"{one['apiVersion']} {one['kind']} {name_of(one)}"


def name_of(one: Manifest) -> str:
    """Give an object's name."""
    return str(one["metadata"]["name"])


def config_sources(program: Program) -> list[Manifest]:
    """Give the sources from which a program's configuration folder is projected."""
    return [
        source
        for volume in program.pod.get("volumes", [])
        for source in volume.get("projected", {}).get("sources", [])
    ]


def _manifests(result: Result) -> Iterator[Manifest]:
    for resource in result.resources:
        if "kind" in resource.inputs and "apiVersion" in resource.inputs:
            found: Manifest = _whole(unwrapped(resource.inputs))
            found["metadata"].setdefault("name", f"{resource.name}-{STAND_IN}")
            yield found


def _whole(value: Any) -> Any:
    """Write whole numbers as such: the engine knows only floating point."""
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
