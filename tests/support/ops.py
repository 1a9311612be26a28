"""What the tests of the operator's commands share."""

from __future__ import annotations

from pathlib import Path

from ops.project import Stack, load_stack

PROJECT = "name: otel-stack\nruntime: python\n"
CONFIG = "config:\n  otel-stack:environment: dev\n"


def checkout(folder: Path, *, stack: str = CONFIG, project: str = PROJECT, name: str = "dev") -> Stack:
    """Make a checkout with one stack, and read it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(project)
    (folder / f"Pulumi.{name}.yaml").write_text(stack)
    return load_stack(name, folder)
