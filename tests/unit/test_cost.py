"""Plans: phases, machines, storage and bills; and the command that prints them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from components.cost import machines
from components.cost.machines import cheapest, nodes
from components.cost.plan import GUIDE, fitting_phase, plan
from components.cost.prices import Machine, Prices
from components.cost.programs import Program, programs_of
from components.sections.stack import RetentionSection
from components.settings import Settings
from components.sizing import ProgramSize
from components.values.quantities import Duration, Size, gibibytes
from ops.cli import app
from ops.commands.planning import Kept
from ops.errors import OpsError
from ops.plan import PRICES, read_prices
from ops.project import ROOT
from tests.support.manifests import tree
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

TABLE: dict[str, Any] = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
PRICE_TABLE = read_prices(PRICES)
MONTH = RetentionSection(traces=Duration(30 * 86400), logs=Duration(30 * 86400))
RATES = st.integers(min_value=1, max_value=400_000)
PHASES = st.sampled_from([1, 2, 3, 4])


def days(**ages: int) -> RetentionSection:
    given: dict[str, Any] = {signal: Duration(age * 86400) for signal, age in ages.items()}
    return RetentionSection(**given)


@pytest.mark.parametrize(
    ("rate", "retention", "phase"),
    [
        (1, MONTH, 1),
        (25_000, MONTH, 1),
        (50_000, days(traces=7, logs=7), 1),
        (50_001, days(traces=7, logs=7), 2),
        (100_001, days(traces=3, logs=3), 3),
        (50_000, MONTH, 4),
        (1, days(metrics=91), 4),
        (1, days(metrics=90), 1),
    ],
)
def test_the_first_phase_that_fits(rate: int, retention: RetentionSection, phase: int) -> None:
    assert fitting_phase(rate, retention) == phase
    assert plan(rate, retention, PRICE_TABLE).phase == phase


@given(rate=RATES, phase=PHASES)
def test_machines_hold_everything(rate: int, phase: int) -> None:
    made = plan(rate, MONTH, PRICE_TABLE, phase=phase)
    memory = sum(program.replicas * program.each.memory.bytes for program in made.programs)
    cpus = sum(program.replicas * program.each.cpus for program in made.programs)
    if made.machine is not None:
        assert made.machines * made.machine.memory.bytes >= memory
        assert made.machines * made.machine.cpus >= cpus / 2
        assert made.machines == 1 if phase < 3 else made.machines >= 3
    assert made.total == pytest.approx(sum(cost.price for cost in made.costs))
    assert all(cost.price >= 0 for cost in made.costs)


@given(rate=RATES, phase=st.sampled_from([3, 4]))
def test_no_pod_is_split_between_machines(rate: int, phase: int) -> None:
    made = plan(rate, MONTH, PRICE_TABLE, phase=phase)
    assert made.machine is not None
    over_half = [one for one in made.programs if one.requested_cpus > made.machine.cpus / 2]
    assert made.machines >= sum(one.replicas for one in over_half)
    assert made.machines >= max(one.replicas for one in made.programs if one.apart)


def pods(replicas: int, cpus: float, memory: int = 1, *, apart: bool = False) -> Program:
    each = ProgramSize(memory=gibibytes(memory), cpus=cpus)
    return Program(name=f"{cpus}", replicas=replicas, each=each, apart=apart)


@pytest.mark.parametrize(
    ("programs", "count"),
    [
        ([pods(1, 0.1)], 3),
        ([pods(5, 2.0)], 5),
        ([pods(4, 2.0), pods(4, 1.6)], 4),
        ([pods(4, 2.0), pods(4, 1.8)], 8),
        ([pods(8, 0.1, memory=4)], 8),
        ([pods(5, 0.1, apart=True)], 5),
        ([pods(1, 4.0)], 0),
        ([pods(1, 0.1, memory=8)], 0),
    ],
    ids=[
        "three-at-least",
        "alone",
        "in-pairs",
        "small-ones-on-empty-nodes",
        "by-memory",
        "apart",
        "cpu",
        "memory",
    ],
)
def test_nodes_of_two_cores_and_8_gib(programs: list[Program], count: int) -> None:
    """Of which 1.8 and 7.2 are usable; a pod requests half of its limit."""
    machine = Machine(name="m", cpus=2, memory=gibibytes(8), per_hour=0.1)
    assert nodes(programs, machine) == count


@given(low=RATES, high=RATES, phase=PHASES)
def test_more_never_costs_less(low: int, high: int, phase: int) -> None:
    low, high = sorted((low, high))
    cheaper, dearer = (plan(rate, MONTH, PRICE_TABLE, phase=phase) for rate in (low, high))
    if dearer.machine is not None:
        assert cheaper.total <= dearer.total + 0.01


def test_longer_retention_costs_more_and_sampling_less() -> None:
    base = plan(20_000, MONTH, PRICE_TABLE, phase=4)
    longer = plan(20_000, days(traces=90, metrics=90, logs=90), PRICE_TABLE, phase=4)
    sampled = plan(20_000, MONTH, PRICE_TABLE, phase=4, kept=0.1)
    assert sampled.total < base.total < longer.total
    traces = {one.signal: one for one in sampled.stored}["traces"]
    assert traces.day.bytes == pytest.approx(20_000 * 0.4 * 500 * 86400 * 0.1, rel=1e-6)
    assert traces.month.bytes == pytest.approx(30 * traces.day.bytes, rel=1e-6)


@pytest.mark.parametrize("phase", [1, 2, 3, 4])
def test_sampling_changes_the_bill_where_option_and_document_say_so(phase: int) -> None:
    base, sampled = (plan(20_000, MONTH, PRICE_TABLE, phase=phase, kept=kept) for kept in (1.0, 0.1))
    assert (sampled.total < base.total) == (phase >= 3)
    assert "the bill from phase 3 on. Up to phase 3 it has a volume for all traces" in str(Kept.help)
    document = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert "the bill from phase 3 on: traffic between zones, in phase 4 buckets and requests too" in document


@pytest.mark.parametrize(
    ("phase", "rate", "kept", "crossings"),
    [
        # Into Kafka 2/3, to its two copies 2, out of it 2/3; into the stores 2/3, in phase 4 to two more.
        (3, 10_000, 1.0, 10 / 3 + 0.4 * 10 / 3 + 2 / 3),
        (3, 10_000, 0.1, 10 / 3 + 0.04 * 10 / 3 + 0.64 * 2 / 3),
        (4, 10_000, 0.1, 10 / 3 + 0.04 * 10 / 3 + 0.64 * 8 / 3),
        (3, 1_000, 1.0, 4 / 3 + 0.4 * 4 / 3 + 2 / 3),
    ],
    ids=["all-traces", "a-tenth", "a-tenth-to-three-replicas", "one-broker-has-no-copies"],
)
def test_kept_traces_cross_zones_twice(phase: int, rate: int, kept: float, crossings: float) -> None:
    made = {cost.item: cost for cost in plan(rate, MONTH, PRICE_TABLE, phase=phase, kept=kept).costs}
    gib = rate * 100 * crossings * 730 * 3600 / 2**30
    assert made["between zones"].price == pytest.approx(gib * PRICE_TABLE.cross_zone_per_gib)


def test_buckets_are_billed_by_age() -> None:
    made = {cost.item: cost for cost in plan(10_000, days(metrics=60), PRICE_TABLE, phase=4).costs}
    metrics = 10_000 * 0.2 * 2 * 60 * 86400 / 2**30
    assert made["buckets, infrequent access"].price == pytest.approx(metrics / 2 * 0.0125, rel=1e-3)


@pytest.mark.parametrize(("age", "copies"), [(59, 0), (60, 3)])
def test_each_chunk_of_logs_is_billed_for_its_move(age: int, copies: int) -> None:
    made = {cost.item: cost for cost in plan(10_000, days(logs=age), PRICE_TABLE, phase=4).costs}
    chunks = copies * 10_000 * 0.4 * 150 * 30 * 86400 / 2**20
    assert made["moves to infrequent access"].price == pytest.approx(chunks / 1000 * 0.01, rel=1e-3)


def test_logs_are_in_their_bucket_three_times() -> None:
    made = {cost.item: cost for cost in plan(10_000, MONTH, PRICE_TABLE, phase=4).costs}
    per_second = 10_000 * (0.4 * 500 * 30 + 0.2 * 2 * 30 + 3 * 0.4 * 150 * 30)
    gib = per_second * 86400 / 2**30
    assert made["buckets, standard"].price == pytest.approx(
        gib * PRICE_TABLE.object_storage.standard_per_gib_month, rel=1e-3
    )


def test_the_bill_of_one_machine_counts_what_is_there() -> None:
    made = plan(1_000, MONTH, PRICE_TABLE)
    items = {cost.item: cost for cost in made.costs}
    assert set(items) == {"machines", "volumes"}
    assert made.machine is not None
    assert items["machines"].price == pytest.approx(made.machine.per_hour * 730)
    gib = sum(program.replicas * program.volume for program in made.programs) / 2**30 + 50
    assert items["volumes"].price == pytest.approx(gib * 0.08)


@pytest.mark.parametrize("phase", [1, 2, 3, 4])
def test_sizes_are_those_of_the_stack(phase: int) -> None:
    settings = Settings.load(
        {
            "phase": phase,
            "sizing": {"eventsPerSecond": 5_000},
            "kubernetes": {"kubeconfig": "kubeconfig.yaml", "context": "main"},
            "objectStorage": {
                "bucketPrefix": "acme",
                "aws": {"region": "eu-central-1", "clusterName": "main"},
            },
        }
    )
    found = {program.name: program for program in programs_of(phase, 5_000, settings.retention)}
    if phase < 4:
        assert found["jaeger"].each == settings.size.programs["jaeger"]
    if phase > 1:
        assert found["otel-gateway"].replicas == settings.buffer.gateway.replicas
        assert found["kafka"].replicas == settings.buffer.brokers
    assert ("haproxy" in found) == (phase == 2)


@pytest.mark.parametrize("rate", [1_000, 50_000, 200_000])
def test_a_plan_of_phase_four_has_every_pod_of_the_stack(rate: int) -> None:
    config = {
        **OBJECT_VARIANTS["phase4-small"],
        "sizing": {"eventsPerSecond": rate},
    }
    running = tree(run_program(config), config).programs()
    planned = programs_of(4, rate, Settings.load(config).retention)
    memory = {
        one.name: sum(_bytes(container["resources"]["limits"]["memory"]) for container in one.containers)
        for one in running
    }
    assert {one.name: one.each.memory.bytes for one in planned} == memory
    replicas = {one.name: one.object["spec"].get("replicas") for one in running}
    assert {one.name: one.replicas for one in planned if replicas[one.name]} == {
        name: count for name, count in replicas.items() if count
    }


def _bytes(memory: str) -> int:
    return Size.parse(memory.replace("Mi", "MiB").replace("Gi", "GiB")).bytes


def test_no_fewer_nodes_are_tried_than_all_pods_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    place = machines._all_find_room

    def noting(pods: Sequence[Program], machine: Machine, count: int) -> bool:
        tried.append(count)
        return place(pods, machine, count)

    monkeypatch.setattr(machines, "_all_find_room", noting)
    machine = Machine(name="m", cpus=2, memory=gibibytes(8), per_hour=0.1)
    assert nodes([pods(90, 3.6)], machine) == 90
    assert tried == [90]


def test_what_fits_no_machine_is_said() -> None:
    small = (Machine(name="tiny", cpus=1, memory=gibibytes(1), per_hour=0.1),)
    assert cheapest(programs_of(1, 5_000, MONTH), small, cluster=False) == (None, 0)


def test_the_guides_lines_follow_each_other() -> None:
    assert [line.up_to for line in GUIDE] == sorted(line.up_to for line in GUIDE)
    assert plan(10_000, MONTH, PRICE_TABLE).guide == GUIDE[0]
    assert plan(10_001, MONTH, PRICE_TABLE).guide == GUIDE[1]
    assert plan(200_001, MONTH, PRICE_TABLE).guide is None


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["plan", *arguments])


def test_tables_for_people() -> None:
    ended = run("--events-per-second", "5000", "--retention-metrics", "395d")
    assert ended.exit_code == 0, ended.output
    for text in (
        "Phase 4 for 5,000 events/s",
        "loki-cluster",
        "395d",
        "buckets, infrequent",
        "50-150",
        "total",
    ):
        assert text in ended.output
    assert str(PRICE_TABLE.date) in ended.output


def test_json_for_machines() -> None:
    ended = run("-n", "5000", "--json")
    assert ended.exit_code == 0, ended.output
    made = json.loads(ended.output)
    assert (made["phase"], made["eventsPerSecond"]) == (1, 5000)
    assert made["storage"]["logs"]["bytesPerDay"] == 5000 * 0.4 * 150 * 86400
    bill = made["monthlyCost"]
    assert bill["total"] == pytest.approx(sum(bill["items"].values()), abs=0.02)
    assert made["guide"] == {"scale": "small", "least": 50, "most": 150}


def test_no_machine_is_said_on_both_ways(tmp_path: Path) -> None:
    table = {**TABLE, "machines": [{"name": "tiny", "cpus": 1, "memory": "1GiB", "perHour": 0.1}]}
    file = tmp_path / "prices.yaml"
    file.write_text(yaml.safe_dump(table))
    assert "no machine in the table holds" in run("-n", "5000", "--prices", str(file)).output
    made = json.loads(run("-n", "5000", "--prices", str(file), "--json").output)
    assert (made["machines"], made["monthlyCost"]["total"]) == (None, None)


def test_one_retention_for_everything_but_what_has_its_own() -> None:
    ended = run("-n", "5000", "--retention", "20d", "--retention-logs", "5d", "--json")
    kept = run(
        "-n",
        "5000",
        *("--retention-traces", "20d", "--retention-metrics", "20d", "--retention-logs", "5d", "--json"),
    )
    assert ended.exit_code == 0
    assert ended.output == kept.output
    assert ended.output != run("-n", "5000", "--json").output


def test_a_wrong_retention_for_everything_is_told() -> None:
    ended = run("-n", "5000", "--retention", "a week")
    assert isinstance(ended.exception, OpsError)
    assert ended.exception.message.startswith("--retention a week: write a whole number above 0")


def test_a_wrong_retention_is_told() -> None:
    ended = run("-n", "5000", "--retention-logs", "a week")
    assert isinstance(ended.exception, OpsError)
    assert ended.exception.status == 2
    assert "--retention-logs a week: write a whole number above 0" in ended.exception.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML"),
        ("just text", "holds no keys"),
        ("date: 2026-01-01", "is not a price table"),
        (yaml.safe_dump({**TABLE, "crossZonePerGib": -1}), r"crossZonePerGib: .*greater than or equal to 0"),
        (yaml.safe_dump({**TABLE, "machines": []}), "machines: .*at least 1"),
        (yaml.safe_dump({**TABLE, "tax": 1}), "tax: "),
    ],
)
def test_a_wrong_price_table_is_told(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    with pytest.raises(OpsError, match=message):
        read_prices(file)
    with pytest.raises(OpsError, match="cannot read"):
        read_prices(tmp_path / "absent.yaml")


def test_the_price_table_says_whose_and_when() -> None:
    assert Prices.load(TABLE) == PRICE_TABLE
    assert PRICE_TABLE.source
    assert [machine.cpus for machine in PRICE_TABLE.machines] == sorted(
        machine.cpus for machine in PRICE_TABLE.machines
    )
