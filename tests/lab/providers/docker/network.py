"""``docker.Network``: a network of the Docker Engine."""

from __future__ import annotations

from typing import Any

import pulumi_docker
from docker.errors import NotFound
from docker.types import IPAMConfig, IPAMPool

from tests.lab.providers.diff import Rules
from tests.lab.providers.docker.client import Connection
from tests.lab.providers.docker.names import label_list, label_map, without_empty
from tests.lab.providers.docker.waiting import remove_when_free
from tests.lab.providers.resource import Made, Resource
from tests.lab.providers.schema import resource_schema


class Network(Resource):
    """Every change replaces."""

    def __init__(self, connection: Connection) -> None:
        schema = resource_schema(pulumi_docker.Network, pulumi_docker.NetworkArgs)
        super().__init__(
            "docker:index/network:Network",
            schema,
            Rules(
                force_new=frozenset(schema.inputs.properties),
                defaults={"ipamDriver": "default"},
                computed=schema.computed,
            ),
            autonamed=True,
        )
        self._connection = connection

    def create(self, inputs: dict[str, Any]) -> Made:
        pools = [
            IPAMPool(
                subnet=pool.get("subnet"),
                iprange=pool.get("ipRange"),
                gateway=pool.get("gateway"),
                aux_addresses=pool.get("auxAddress"),
            )
            for pool in inputs.get("ipamConfigs", [])
        ]
        with self._connection.open() as client:
            made = client.create_network(
                inputs["name"],
                driver=inputs.get("driver"),
                options=inputs.get("options"),
                ipam=IPAMConfig(
                    driver=inputs.get("ipamDriver", "default"),
                    pool_configs=pools,
                    options=inputs.get("ipamOptions"),
                ),
                # Docker Engine 25 and later always refuse a second network of the same name
                check_duplicate=True,
                internal=inputs.get("internal", False),
                labels=label_map(inputs.get("labels", [])),
                enable_ipv6=inputs.get("ipv6", False),
                attachable=inputs.get("attachable"),
                ingress=inputs.get("ingress"),
            )
            network = client.inspect_network(made["Id"])
        return Made(resource_id=made["Id"], outputs=_outputs(network))

    def read(self, resource_id: str, inputs: dict[str, Any], state: dict[str, Any]) -> dict[str, Any] | None:
        del inputs, state
        with self._connection.open() as client:
            try:
                return _outputs(client.inspect_network(resource_id))
            except NotFound:
                return None

    def delete(self, resource_id: str, state: dict[str, Any]) -> None:
        del state
        with self._connection.open() as client:
            remove_when_free(lambda: client.remove_network(resource_id))


def _outputs(network: dict[str, Any]) -> dict[str, Any]:
    ipam = network["IPAM"]
    return {
        "name": network["Name"],
        "driver": network["Driver"],
        "scope": network["Scope"],
        "internal": network["Internal"],
        "attachable": network["Attachable"],
        "ingress": network["Ingress"],
        "ipv6": network["EnableIPv6"],
        "ipamDriver": ipam["Driver"],
        "ipamConfigs": [_pool(pool) for pool in ipam.get("Config") or []],
        "options": network.get("Options") or {},
        **without_empty(
            {
                "ipamOptions": ipam.get("Options"),
                "labels": label_list(network.get("Labels")),
            }.items()
        ),
    }


def _pool(pool: dict[str, Any]) -> dict[str, Any]:
    return without_empty(
        {
            "subnet": pool.get("Subnet"),
            "ipRange": pool.get("IPRange"),
            "gateway": pool.get("Gateway"),
            "auxAddress": pool.get("AuxiliaryAddresses"),
        }.items()
    )
