"""Runs the whole program under Pulumi's mocks and gives everything it registered."""

from __future__ import annotations

import asyncio
import json
import runpy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, set_all_config, set_mocks
from pulumi.runtime.mocks import MockMonitor

ROOT = Path(__file__).resolve().parent.parent.parent
STACK = "test"
"""Name of the stack under the mocks."""
SECRET_KEY = "4dabf18193072939515e22adb298388d"
CONTAINER, VOLUME, NETWORK = (
    f"docker:index/{kind}" for kind in ("container:Container", "volume:Volume", "network:Network")
)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A resource as the program registered it; secret inputs are still wrapped."""

    type: str
    name: str
    inputs: Mapping[str, Any]

    def plain(self, key: str) -> Any:
        """Give an input without secret wrappers."""
        return unwrapped(self.inputs.get(key))


class Recorder(Mocks):
    """Answers every registration, and remembers it."""

    def __init__(self, remembered: Mapping[str, int | str]) -> None:
        self.resources: list[Registered] = []
        self._remembered = remembered

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.resources.append(Registered(type=args.typ, name=args.name, inputs=args.inputs))
        outputs = dict(args.inputs)
        if args.typ == "docker:index/remoteImage:RemoteImage":
            outputs["imageId"] = f"sha256:{args.inputs['name']}"
        if args.typ == "random:index/randomPassword:RandomPassword":
            outputs["result"] = {
                SECRET_KEY: "1b47061264138c4ac30d75fd1eb44270",
                "value": f"generated-{args.name}",
            }
        if args.typ.startswith("kubernetes:"):
            outputs["metadata"] = {"name": f"{args.name}-autonamed", **args.inputs["metadata"]}
        if args.typ == "aws:iam/role:Role":
            outputs["arn"] = f"arn:aws:iam::123456789012:role/{args.name}"
        if args.typ == "pulumi:index:Stash":
            outputs["output"] = self._remembered.get(args.name, args.inputs["input"])
        return f"{args.name}-id", outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the program must not call functions of a provider: {args.token}")


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything that one run registered and exported."""

    resources: list[Registered]
    outputs: dict[str, Any]
    urns: list[str]

    def places(self) -> list[str]:
        """Give ``types of its parents and its own::name`` of each resource, by which the engine knows it."""
        return sorted(urn.split("::", 2)[2] for urn in self.urns)

    def of(self, kind: str) -> list[Registered]:
        """Give the resources of a type."""
        return [resource for resource in self.resources if resource.type == kind]

    def container(self, name: str) -> Registered:
        """Give a container by name."""
        return next(found for found in self.of(CONTAINER) if found.name == name)


def run_program(
    config: Mapping[str, Any] | None = None, *, remembered: Mapping[str, int | str] | None = None
) -> Result:
    """Run ``__main__.py`` with a configuration, outside any engine.

    ``remembered`` is what an earlier run has stashed, by name.
    """
    recorder = Recorder(remembered or {})
    monitor = MockMonitor(recorder)
    outputs: dict[str, Any] = {}
    set_all_config({f"otel-stack:{key}": _as_engine_text(value) for key, value in (config or {}).items()})
    harness: Callable[[Callable[[], object]], Callable[[], None]] = pulumi.runtime.test
    program = harness(lambda: runpy.run_path(str(ROOT / "__main__.py")))
    with event_loop(), mock.patch.object(pulumi, "export", outputs.__setitem__):
        set_mocks(recorder, project="otel-stack", stack=STACK, preview=False, monitor=monitor)
        program()
    return Result(resources=recorder.resources, outputs=outputs, urns=list(monitor.resources))


@contextmanager
def event_loop() -> Iterator[None]:
    """Set an event loop; at the end close it, and those that the SDK's mocks leave open in threads."""
    made: list[asyncio.AbstractEventLoop] = []
    make = asyncio.new_event_loop

    def remembered() -> asyncio.AbstractEventLoop:
        made.append(make())
        return made[-1]

    with mock.patch.object(asyncio, "new_event_loop", remembered):
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            yield
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            for one in made:
                one.close()


def unwrapped(value: Any) -> Any:
    """Remove secret wrappers from a value, at any depth."""
    if isinstance(value, Mapping):
        return (
            unwrapped(value["value"])
            if SECRET_KEY in value
            else {key: unwrapped(item) for key, item in value.items()}
        )
    return [unwrapped(item) for item in value] if isinstance(value, list) else value


def is_secret(value: Any) -> bool:
    """Tell whether a value, or anything in it, is wrapped as a secret."""
    if isinstance(value, Mapping):
        return SECRET_KEY in value or any(is_secret(item) for item in value.values())
    return isinstance(value, list) and any(is_secret(item) for item in value)


def _as_engine_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
