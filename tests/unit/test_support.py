"""What the tests themselves rely on."""

from __future__ import annotations

import re

import pytest

from tests.support.lab import missing
from tests.support.waiting import until


def test_a_missing_part_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Docker Engine"):
        missing("no Docker Engine")


def test_a_missing_part_fails_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI may skip nothing: no Docker Engine"):
        missing("no Docker Engine")


def test_a_wait_gives_the_first_true_answer() -> None:
    answers = iter([0, 0, 7])
    assert until("an answer", lambda: next(answers), seconds=5, pause=0) == 7


def test_a_wait_that_is_over_says_what_it_was_for() -> None:
    with pytest.raises(AssertionError, match=re.escape("waited 0.01 s for rain; the last answer was: dry")):
        until("rain", lambda: _fail("dry"), seconds=0.01, pause=0, forgive=(LookupError,))


def test_an_error_that_is_not_forgiven_ends_a_wait() -> None:
    with pytest.raises(LookupError):
        until("rain", lambda: _fail("dry"), seconds=5, pause=0)


def _fail(text: str) -> bool:
    raise LookupError(text)
