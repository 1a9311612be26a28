"""What every test may rely on."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to write golden files anew."""
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing")
