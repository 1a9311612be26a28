"""The one way in which an operator's command fails: what was wrong, and what to do."""

from __future__ import annotations


class OpsError(Exception):
    """A command could not do its work.

    Attributes:
        message: what failed, with the value that was found.
        advice: what to do about it; empty when the message already says it.
        status: exit status of the command. 1: it failed. 2: it could not be tried, or was called wrongly.
    """

    def __init__(self, message: str, advice: str = "", *, status: int = 1) -> None:
        """Keep both parts, so that they can be shown one under the other."""
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.status = status
