"""Phase 4's stacks under mocks, by the names of their variants. Each is made once: nobody may change it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from configparser import ConfigParser
from functools import cache

from tests.kubernetes.rules import RULES
from tests.support.manifests import Tree, tree
from tests.support.program import Result, run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

FOUND_AT_RUN_TIME = re.compile(
    r"(?P<source>[a-z]+)\S* -> (?P=source)\S*: .*"  # members of one ring, of one store, and the dumps
    r"|\S+ -> \(outside\):\d+: .*"  # buckets, contact points, databases: their addresses are in no text
    r"|\(outside\) -> (prometheus|jaeger|loki):\d+: .*"  # no output names phase 3's stores any more
)
OTHERS_SECRETS = re.compile(
    r": Secret (s3-credentials|s3-ca|slack|tickets|pagerduty|smtp|grafana-\w+|rds-ca) is not"
)


@cache
def result_of(name: str) -> Result:
    """Give what the program registers and exports."""
    return run_program(OBJECT_VARIANTS[name])


@cache
def objects_of(name: str) -> Tree:
    """Give the stack's objects."""
    return tree(result_of(name), OBJECT_VARIANTS[name])


def broken(found: Tree, rule: str) -> Iterator[str]:
    """Give what breaks a rule, but for what no text of a stack of phase 4 can tell."""
    for message in RULES[rule](found):
        if rule == "references_exist" and OTHERS_SECRETS.search(message):
            continue
        if rule == "allowed_edges_are_used" and FOUND_AT_RUN_TIME.match(message.partition(" is ")[0] + " "):
            continue
        yield message


def grafana_settings(found: Tree) -> ConfigParser:
    """Read the settings file of Grafana."""
    parser = ConfigParser(interpolation=None)
    parser.read_string(found.files(found.program("grafana"))["grafana.ini"])
    return parser
