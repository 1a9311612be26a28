"""Prometheus's own tool for tests of rules."""

from __future__ import annotations

import shutil

import pytest

from tests.lab import cache
from tests.lab.errors import LabError
from tests.support.lab import missing


@pytest.fixture(scope="session")
def promtool() -> str:
    found = shutil.which("promtool")
    if found:
        return found
    try:
        return str(cache.binary("promtool"))
    except LabError as error:
        missing(str(error))
