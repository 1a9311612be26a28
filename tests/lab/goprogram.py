"""A program that the lab builds from its Go module: what goes into one build."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class GoProgram:
    """One ``go build`` in a module of the lab's own that requires the upstream module.

    Attributes:
        name: names the build and its folder in the cache.
        version: what the program itself reports.
        module: upstream module.
        module_version: the version that the Go registry knows.
        checksums: of the module and of its ``go.mod``, where Go's checksum database lacks this version. What
            it requires is then verified by its own ``go.sum``, as its makers built it.
        binaries: resulting program -> its main package; if there are several, it ends in the program's name.
        alongside: other modules that are required too, by version. Programs with the same ones are made of
            the same versions of all that they share, and each package of it is compiled once.
        phase: first phase of the stack that needs it.
        strings: package variable -> text set at link time.
        replaces: added to the replace directives of the upstream ``go.mod``.
        tree_version: version under which the registry publishes what the upstream ``go.mod`` replaces by
            folders of its own source tree; empty leaves those to the versions that ``go.mod`` requires.
        linker: further options of Go's linker.
        tags: build tags.
        source: folder of the lab's own main package, built as the binary whose package is ``.``.
        disk_gb: what the finished programs take in the cache and again in their image, measured.
        scratch_gb: growth of Go's caches in this build after those before it, measured.
    """

    name: str
    version: str
    module: str
    module_version: str
    checksums: tuple[str, str] | None = None
    binaries: Mapping[str, str]
    alongside: Mapping[str, str] = field(default_factory=dict)
    phase: int = 1
    strings: Mapping[str, str] = field(default_factory=dict)
    replaces: Mapping[str, str] = field(default_factory=dict)
    tree_version: str = ""
    linker: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    source: Path | None = None
    disk_gb: float
    scratch_gb: float

    @property
    def modules(self) -> Mapping[str, str]:
        """All modules that are required, by version."""
        return {**self.alongside, self.module: self.module_version}

    @property
    def recipe(self) -> str:
        """A digest of everything that goes into the build; a different one causes a rebuild."""
        modules = {**self.modules, **self.replaces}
        inputs: list[object] = [modules, dict(self.binaries), dict(self.strings)]
        sources = [path.read_text() for path in sorted(self.source.iterdir())] if self.source else []
        inputs += [
            extra for extra in (self.tree_version, self.linker, sources, self.tags, self.checksums) if extra
        ]
        return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
