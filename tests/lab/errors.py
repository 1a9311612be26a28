"""The one error type of the lab: what was wrong and what to do, without a traceback."""

from __future__ import annotations


class LabError(RuntimeError):
    """A step of the lab failed; the message says which, why, and what to do next."""
