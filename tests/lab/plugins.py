"""The executables that people and the Pulumi CLI look for on PATH: CLIs, language host, provider plugins."""

from __future__ import annotations

from pathlib import Path

from tests.lab import programs, store
from tests.lab.errors import LabError

ROOT_VARIABLE = "OTEL_STACK_ROOT"
CHECKOUT = Path(__file__).resolve().parents[2]

_CLIS = ("pulumi", "kubectl")

_LAUNCHER = """#!/bin/sh
# Runs the lab's {module} of the checkout that {variable} names, with that checkout's virtual environment.
root="${{{variable}:?is not set; take the environment from: python -m tests.lab env}}"
PYTHONPATH="$root" exec "$root/.venv/bin/python" -m {module} "$@"
"""


def modules() -> dict[str, str]:
    """Executable name -> module that it runs; every runnable package under ``providers`` is a provider."""
    runnable = sorted((Path(__file__).parent / "providers").glob("*/__main__.py"))
    providers = {path.parent.name: f"tests.lab.providers.{path.parent.name}" for path in runnable}
    return {
        "pulumi-language-python": "tests.lab.languagehost",
        **{f"pulumi-resource-{name}": module for name, module in providers.items()},
    }


def folder() -> Path:
    """The folder to put first on PATH."""
    return store.folder("path")


def install() -> None:
    """Write the launchers and link the CLIs that are built; unchanged ones are left as they are."""
    for name, module in modules().items():
        launcher = folder() / name
        text = _LAUNCHER.format(module=module, variable=ROOT_VARIABLE)
        if not launcher.is_file() or launcher.read_text() != text:
            partial = launcher.with_name(f".{name}.partial")
            partial.write_text(text)
            partial.chmod(0o755)
            partial.rename(launcher)
    for name in _CLIS:
        link, target = folder() / name, programs.binary_path(name)
        if target.is_file() and not (link.is_symlink() and link.readlink() == target):
            link.unlink(missing_ok=True)
            link.symlink_to(target)


def environment(path: str) -> dict[str, str]:
    """Variables under which the CLI finds the lab's executables; ``path`` is the PATH to extend.

    Raises:
        LabError: when the lab has not been prepared.
    """
    if not (folder() / "pulumi").exists():
        raise LabError(f"no Pulumi CLI in {folder()}: prepare the lab with: python -m tests.lab prepare")
    first = str(folder())
    rest = [part for part in path.split(":") if part and part != first]
    return {"PATH": ":".join([first, *rest]), ROOT_VARIABLE: str(CHECKOUT), "PULUMI_SKIP_UPDATE_CHECK": "1"}
