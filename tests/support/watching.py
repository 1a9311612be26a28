"""Asks the same questions again and again while something is hurt, and records how long nobody answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

PAUSE_SECONDS = 1.0
Question = Callable[[], object]


@dataclass(kw_only=True)
class Answers:
    """How one question was answered.

    Attributes:
        good: answers that came.
        bad: those that did not, or were errors.
        longest: longest time without a good one, in seconds.
        last_error: what was wrong last.
    """

    good: int = 0
    bad: int = 0
    longest: float = 0.0
    last_error: str = ""
    _since: float = field(default_factory=time.monotonic)

    def note(self, error: str) -> None:
        """Note an answer, good when there is no error."""
        now = time.monotonic()
        self.longest = max(self.longest, now - self._since)
        if error:
            self.bad, self.last_error = self.bad + 1, error
        else:
            self.good, self._since = self.good + 1, now

    @property
    def summary(self) -> dict[str, object]:
        """Give it as drills report it."""
        return {
            "good": self.good,
            "bad": self.bad,
            "longest": round(self.longest, 1),
            "last error": self.last_error,
        }


@contextmanager
def watching(questions: Mapping[str, Question]) -> Iterator[Mapping[str, Answers]]:
    """Ask every question once a second, each by itself, until the block ends."""
    stop = threading.Event()
    answers = {name: Answers() for name in questions}
    threads = [
        threading.Thread(target=_ask, args=(question, answers[name], stop), daemon=True)
        for name, question in questions.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=120)


def demand_answers(
    answers: Mapping[str, Answers], note: Callable[[Mapping[str, object]], None], seconds: float
) -> None:
    """Require that each question was answered, and never for long without an answer; note how long."""
    note({"queries": {name: one.summary for name, one in answers.items()}})
    for name, one in answers.items():
        assert one.good, f"{name} never answered: {one.last_error}"
        assert one.longest < seconds, f"{name} was silent for {one.longest:.0f} s: {one.last_error}"


def _ask(question: Question, answers: Answers, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            error = "" if question() else "an empty answer"
        except (httpx.HTTPError, ValueError, KeyError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        answers.note(error)
        stop.wait(PAUSE_SECONDS)
