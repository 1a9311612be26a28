"""Every series that a shipped query looks at is known to the program that serves it.

Many series are not there while nothing fails: a query with a misspelt name would find nothing either, and
nobody would notice. Programs contain the names of all their series. A name that lacks only its first or last
letters is found as well.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
import yaml

from components.values.documents import CONFIGS
from tests.lab import cache
from tests.lab.errors import LabError
from tests.support.lab import missing
from tests.support.queries import all_queries
from tests.support.series import series_names, spelled_out

Names = Mapping[str, str]
PROGRAMS: Names = {
    "otelcol_": "otelcol-contrib",
    "prometheus_": "prometheus",
    "process_": "prometheus",
    "go_": "prometheus",
    "loki_": "loki",
    "cortex_": "mimir",
    "thanos_objstore_": "mimir",
    "tempo_": "tempo",
    "tempodb_": "tempo",
    "kubelet_": "kubelet",
}
"""Beginning of a series' name -> program that serves it."""

PUT_BEFORE = (
    "cortex_",
    "cortex_ingester_",
    "cortex_prometheus_notifications_",
    "go_memstats_",
    "kubelet_",
    "loki_",
    "loki_compactor_",
    "loki_prometheus_notifications_",
    "prometheus_",
    "prometheus_notifications_",
    "prometheus_remote_storage_",
    "prometheus_tsdb_out_of_order_wbl_",
    "prometheus_tsdb_wal_",
    "tempo_",
    "tempodb_",
    "thanos_",
)
"""What programs put before names only while they run."""

WORD_BEFORE, WORD_AFTER = re.compile(rb"[a-z0-9]_"), re.compile(rb"_[a-z0-9]")
OF_HISTOGRAMS = ("_bucket", "_count", "_sum")
WRITTEN: Names = {
    "otelcol_processor_filter_datapoints_filtered": "otelcol_processor_filter_datapoints.filtered"
}
"""Series -> its name as the program has it."""

SENT: Names = {"kafka_partition_": "kafka/copies.sh", "postgres_backup_": "postgres/report.sh"}
"""Beginning of a series' name -> script under ``configs/`` that sends it, with dots in its name."""

BY_PROMETHEUS = {"ALERTS", "up", "scrape_duration_seconds", "scrape_samples_scraped"}
"""Series that whoever scrapes and evaluates makes."""

COMMON_WORDS = "put together of words that every program contains"
NOT_LOOKED_FOR: Names = {
    "traces_": "made of spans by the collector or Tempo, under names that their configuration gives",
    "jaeger_": COMMON_WORDS,
    "badger_": COMMON_WORDS,
    "haproxy_": COMMON_WORDS,
    "grafana_": "the lab's Grafana is a stand-in, and has what it was written with",
}
"""Beginning of a series' name -> why no program's file is asked for it."""


def looked_at() -> Iterator[str]:
    """Give the name of each series that a query looks at; variables of dashboards take theirs from panels."""
    queries = [query for query in all_queries(CONFIGS) if not query.panel.startswith("variable ")]
    for query in queries:
        if query.datasource_uid in ("prometheus", "mimir"):
            for pattern in series_names(query.expr):
                yield from spelled_out(pattern)


def recorded() -> set[str]:
    """Give the names that rules give to what they find."""
    groups = [
        group
        for path in CONFIGS.glob("*/rules*/*.yaml")
        for group in yaml.safe_load(path.read_text())["groups"]
    ]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


def known_to(name: str, table: Names) -> str:
    """Give what a table by beginnings of names has for one; nothing without."""
    return next((found for beginning, found in table.items() if name.startswith(beginning)), "")


SERIES = sorted(set(looked_at()) - recorded() - BY_PROMETHEUS)
SERVED = [name for name in SERIES if known_to(name, PROGRAMS)]


@dataclass(frozen=True)
class Binaries:
    """Programs' files, each opened once."""

    kept: ExitStack
    opened: dict[str, mmap.mmap] = field(default_factory=dict)

    def have(self, name: str) -> bool:
        """Say whether the program that serves a series contains its name."""
        text = self._text(known_to(name, PROGRAMS))
        return any(_is_whole(text, one.encode()) for one in spellings(WRITTEN.get(name, name)))

    def _text(self, program: str) -> mmap.mmap:
        if program not in self.opened:
            try:
                file = self.kept.enter_context(cache.binary(program).open("rb"))
            except LabError as error:
                missing(str(error))
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self.opened[program] = self.kept.enter_context(mapped)
        return self.opened[program]


def spellings(name: str) -> Iterator[str]:
    """Give what a program may contain of a series' name."""
    histograms = [name.removesuffix(end) for end in OF_HISTOGRAMS if name.endswith(end)]
    for one in (name, *histograms):
        yield one
        yield from (one.removeprefix(beginning) for beginning in PUT_BEFORE if one.startswith(beginning))


def _is_whole(text: mmap.mmap, name: bytes) -> bool:
    """Say whether a name occurs other than as some words of a longer one."""
    place = text.find(name)
    while place > 0:
        end = place + len(name)
        if not (WORD_BEFORE.fullmatch(text[place - 2 : place]) or WORD_AFTER.fullmatch(text[end : end + 2])):
            return True
        place = text.find(name, place + 1)
    return False


@pytest.fixture(scope="module")
def binaries() -> Iterator[Binaries]:
    with ExitStack() as kept:
        yield Binaries(kept)


def test_every_series_belongs_to_somebody() -> None:
    nobody = [
        name for name in SERIES if not any(known_to(name, one) for one in (PROGRAMS, SENT, NOT_LOOKED_FOR))
    ]
    assert nobody == []


@pytest.mark.parametrize("name", sorted(SERVED))
def test_the_program_that_serves_a_series_contains_its_name(binaries: Binaries, name: str) -> None:
    assert binaries.have(name), f"{known_to(name, PROGRAMS)} has no {name}"


@pytest.mark.parametrize("name", [name for name in SERIES if known_to(name, SENT)])
def test_the_script_that_sends_a_series_names_it(name: str) -> None:
    beginning = next(one for one in SENT if name.startswith(one))
    sent = beginning.replace("_", ".") + name.removeprefix(beginning).removesuffix("_seconds")
    assert re.search(rf"\b{re.escape(sent)}\b", (CONFIGS / SENT[beginning]).read_text())


@pytest.mark.parametrize(
    "name",
    [
        "tempo_discarded_span_total",
        "tempo_distributor_span_received_total",
        "tempo_ingester_failed_flushes",
        "cortex_alertmanager_notifications_failures_total",
        "loki_ingester_flush_failures_total",
        "loki_flush_failures_total",
        "prometheus_remote_storage_failed_samples_total",
        "prometheus_tsdb_writes_failed_total",
        "otelcol_exporter_send_failed_logs",
    ],
)
def test_a_misspelt_name_is_not_found(binaries: Binaries, name: str) -> None:
    assert not binaries.have(name)
