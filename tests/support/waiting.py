"""Waits for things to happen: asks again and again until a deadline, and says what was being waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

T = TypeVar("T")


def until(
    what: str,
    question: Callable[[], T],
    *,
    seconds: float,
    pause: float = 0.5,
    forgive: tuple[type[Exception], ...] = (),
) -> T:
    """Ask until the answer is true, and give that answer.

    Args:
        what: what is being waited for, for the message.
        question: gives a false value while it has not happened yet.
        seconds: deadline.
        pause: seconds between two questions.
        forgive: errors that mean "not yet".

    Raises:
        AssertionError: it did not happen in time; the message has the last answer.
    """

    def give_up(state: RetryCallState) -> T:
        outcome = state.outcome
        last = "nothing" if outcome is None else outcome.exception() or outcome.result()
        raise AssertionError(f"waited {seconds:g} s for {what}; the last answer was: {last}")

    return Retrying(
        retry=retry_if_result(lambda answer: not answer) | retry_if_exception_type(forgive),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(pause),
        retry_error_callback=give_up,
    )(question)
