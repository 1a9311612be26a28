"""The price table that a plan uses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from components.values.quantities import Size

TABLE = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, config=TABLE)
class Machine:
    """A rentable machine.

    Attributes:
        name: what the provider calls it.
        cpus: cores.
        memory: memory.
        per_hour: price per hour.
    """

    name: str
    cpus: Annotated[int, Field(ge=1)]
    memory: Size
    per_hour: Price


@dataclass(frozen=True, kw_only=True, config=TABLE)
class ObjectPrices:
    """Object storage.

    Attributes:
        standard_per_gib_month: keeping a GiB for a month.
        infrequent_per_gib_month: the same for what is seldom read.
        per_thousand_puts: writing a thousand objects.
        per_thousand_gets: reading a thousand objects.
        per_thousand_transitions: moving a thousand objects to where they are seldom read.
    """

    standard_per_gib_month: Price
    infrequent_per_gib_month: Price
    per_thousand_puts: Price
    per_thousand_gets: Price
    per_thousand_transitions: Price


@dataclass(frozen=True, kw_only=True, config=TABLE)
class Prices:
    """A price table.

    Attributes:
        date: date of the prices.
        currency: of all prices.
        source: whose prices these are.
        machines: machines to choose from.
        cluster_per_hour: the control plane of Kubernetes.
        load_balancer_per_hour: a load balancer.
        block_storage_per_gib_month: a GiB of a volume.
        object_storage: object storage.
        cross_zone_per_gib: a GiB from one zone into another.
    """

    date: date
    currency: str
    source: str
    machines: Annotated[tuple[Machine, ...], Field(min_length=1)]
    cluster_per_hour: Price
    load_balancer_per_hour: Price
    block_storage_per_gib_month: Price
    object_storage: ObjectPrices
    cross_zone_per_gib: Price

    @classmethod
    def load(cls, table: Mapping[str, Any]) -> Prices:
        """Read a table as written in YAML.

        Raises:
            pydantic.ValidationError: a price is missing, unknown, or not a number.
        """
        return _ADAPTER.validate_python(table)


_ADAPTER: TypeAdapter[Prices] = TypeAdapter(Prices)
