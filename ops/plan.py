"""What a rate and a retention require: read the price table, show the plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError
from rich.console import Group
from rich.table import Table
from rich.text import Text

from components.cost.plan import GUIDE, Plan
from components.cost.prices import Prices
from components.sections.stack import RetentionSection
from components.settings.errors import describe
from components.values.documents import CONFIGS
from ops.errors import OpsError
from ops.screen import table
from ops.units import amount

PRICES = CONFIGS / "prices.yaml"


def read_prices(path: Path) -> Prices:
    """Read a price table.

    Raises:
        OpsError: it cannot be read, or is not a price table.
    """
    advice = f"write it like {PRICES}"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OpsError(f"cannot read {path}: {error.strerror}", advice, status=2) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OpsError(f"{path} is not YAML: {error}", advice, status=2) from error
    if not isinstance(content, dict):
        raise OpsError(f"{path} holds no keys", advice, status=2)
    try:
        return Prices.load(content)
    except ValidationError as error:
        found = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise OpsError(f"{path} is not a price table: {'; '.join(found)}", advice, status=2) from error


def read_retention(given: Mapping[str, str | None], everything: str | None = None) -> RetentionSection:
    """Read how long each signal is kept: as given for it, for everything, or as the stack's own default.

    Raises:
        OpsError: a value is not a duration.
    """
    chosen = {signal: age or everything for signal, age in given.items() if age or everything}
    try:
        return TypeAdapter(RetentionSection).validate_json(json.dumps(chosen))
    except ValidationError as error:
        problem = describe(error, chosen, RetentionSection)[0]
        option = f"--retention-{problem.key}" if given[problem.key] else "--retention"
        raise OpsError(f"{option} {problem.value}: {problem.message}", status=2) from error


def as_json(plan: Plan, prices: Prices) -> dict[str, Any]:
    """Give a plan for machines; amounts of data in bytes, money in the currency of the price table."""
    guide = plan.guide
    return {
        "eventsPerSecond": plan.rate,
        "phase": plan.phase,
        "programs": [
            {
                "name": program.name,
                "replicas": program.replicas,
                "memoryBytes": program.each.memory.bytes,
                "cpus": program.each.cpus,
                "volumeBytes": program.volume,
            }
            for program in plan.programs
        ],
        "storage": {
            one.signal: {
                "retentionSeconds": one.retention.seconds,
                "bytesPerDay": one.day.bytes,
                "bytesPerMonth": one.month.bytes,
                "bytesKept": one.kept.bytes,
            }
            for one in plan.stored
        },
        "machines": None if plan.machine is None else {"name": plan.machine.name, "count": plan.machines},
        "monthlyCost": {
            "currency": prices.currency,
            "pricesOf": prices.date.isoformat(),
            "source": prices.source,
            "items": {cost.item: round(cost.price, 2) for cost in plan.costs},
            "total": None if plan.machine is None else round(plan.total, 2),
        },
        "guide": None if guide is None else {"scale": guide.scale, "least": guide.least, "most": guide.most},
    }


def show(plan: Plan, prices: Prices) -> Group:
    """Lay a plan out as tables."""
    return Group(
        _title(f"Phase {plan.phase} for {plan.rate:,} events/s"),
        _programs(plan),
        _title("Storage, one copy"),
        _storage(plan),
        _title(f"A month, in {prices.currency} ({prices.source}, {prices.date})"),
        _costs(plan),
        _title("The guide's own table, in USD"),
        _guide(plan),
    )


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _programs(plan: Plan) -> Table:
    rows = [
        (
            program.name,
            str(program.replicas),
            str(program.each.memory),
            f"{program.each.cpus:g}",
            amount(program.volume) if program.volume else "-",
        )
        for program in plan.programs
    ]
    return table(("program", "replicas", "memory each", "CPU each", "volume each"), rows)


def _storage(plan: Plan) -> Table:
    rows = [
        (
            one.signal,
            amount(one.day.bytes),
            amount(one.month.bytes),
            str(one.retention),
            amount(one.kept.bytes),
        )
        for one in plan.stored
    ]
    return table(("signal", "a day", "30 days", "retention", "kept in all"), rows)


def _costs(plan: Plan) -> Table:
    rows: list[tuple[str, str, str]] = []
    if plan.machine is None:
        rows.append(("machines", "no machine in the table holds all programs: use phase 3, --phase 3", "?"))
    rows += [(cost.item, cost.amount, f"{cost.price:,.0f}") for cost in plan.costs]
    rows.append(("total", "", "?" if plan.machine is None else f"{plan.total:,.0f}"))
    return table(("item", "amount", "price"), rows)


def _guide(plan: Plan) -> Table:
    rows = [
        (
            "->" if line is plan.guide else "",
            f"{line.scale}, up to {line.up_to:,} events/s",
            line.infrastructure,
            f"{line.least:,}-{line.most:,}",
        )
        for line in GUIDE
    ]
    return table(("", "scale", "infrastructure", "a month"), rows)
