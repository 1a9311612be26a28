"""The programs of the stack: which image, which version, as which user.

This is the one place where versions are pinned. ``images.registry`` redirects all of them to a mirror,
``images.overrides`` replaces a single one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

REFERENCE = re.compile(
    r"(?P<repository>[a-z0-9][a-z0-9._:/-]*?[a-z0-9])"
    r":(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})"
    r"(@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True, kw_only=True)
class Image:
    """A program's image.

    Attributes:
        repository: path in the registry, without host.
        tag: released version; never a moving tag.
        digest: ``sha256:...`` of the image's manifest, to pin it exactly; None trusts the tag.
        registry: host (and port) of the registry; empty for the container engine's default.
        uid: numeric user the image runs as.
        gid: numeric group the image runs as.
        go: written in Go, so that GOMEMLIMIT bounds its heap.
        owned_directory: a directory of the image that belongs to ``uid``; None where it has none.
    """

    repository: str
    tag: str
    digest: str | None = None
    registry: str = ""
    uid: int
    gid: int
    go: bool = True
    owned_directory: str | None = None

    @property
    def version(self) -> str:
        """What is in the image, wherever it comes from."""
        return f"{self.repository}:{self.tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def reference(self) -> str:
        """The name by which a container engine pulls the image."""
        return f"{self.registry}/{self.version}" if self.registry else self.version

    @property
    def user(self) -> str:
        """User and group as container engines take them."""
        return f"{self.uid}:{self.gid}"


CATALOGUE: Mapping[str, Image] = {
    "collector": Image(
        repository="otel/opentelemetry-collector-contrib", tag="0.155.0", uid=10001, gid=10001
    ),
    "jaeger": Image(repository="jaegertracing/jaeger", tag="2.19.0", uid=10001, gid=10001),
    "prometheus": Image(
        repository="prom/prometheus", tag="v3.16.0", uid=65534, gid=65534, owned_directory="/prometheus"
    ),
    "loki": Image(repository="grafana/loki", tag="3.7.8", uid=10001, gid=10001, owned_directory="/loki"),
    "grafana": Image(
        repository="grafana/grafana", tag="13.2.1", uid=472, gid=0, owned_directory="/var/lib/grafana"
    ),
    "kafka": Image(
        repository="apache/kafka",
        tag="4.3.1",
        uid=1000,
        gid=1000,
        go=False,
        owned_directory="/var/lib/kafka/data",
    ),
    "haproxy": Image(repository="haproxy", tag="3.2.18-alpine", uid=99, gid=99, go=False),
    "tempo": Image(repository="grafana/tempo", tag="2.10.8", uid=10001, gid=10001),
    "mimir": Image(repository="grafana/mimir", tag="3.1.2", uid=10001, gid=10001),
    "aws-cli": Image(repository="amazon/aws-cli", tag="2.32.2", uid=0, gid=0, go=False),
    "postgres": Image(repository="postgres", tag="17.7-alpine", uid=70, gid=70, go=False),
}


@dataclass(frozen=True, kw_only=True)
class Images:
    """The catalogue with a stack's mirror and overrides applied."""

    registry: str = ""
    overrides: Mapping[str, str]

    def __getitem__(self, program: str) -> Image:
        """Return the image of a program in the catalogue.

        Raises:
            KeyError: the catalogue has no such program.
        """
        image = replace(CATALOGUE[program], registry=self.registry)
        reference = self.overrides.get(program)
        return image if reference is None else with_reference(image, reference)

    def owner_of(self, image: Image) -> Image:
        """Find an image with a directory owned by the user of ``image``.

        A new volume takes the owner of the directory it is first mounted on, so this image can hand a volume
        to a user whose own image has no such directory.

        Raises:
            LookupError: no image in the catalogue has one.
        """
        if image.owned_directory:
            return image
        for name, candidate in CATALOGUE.items():
            if candidate.uid == image.uid and candidate.owned_directory:
                return self[name]
        raise LookupError(f"no image of the catalogue has a directory owned by user {image.uid}")


def with_reference(image: Image, reference: str) -> Image:
    """Point an image at another full reference, host included, keeping what is known about it.

    Raises:
        ValueError: the reference has no tag, or its digest is malformed.
    """
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise ValueError(f"{reference!r} is not repository:tag or repository:tag@sha256:<64 hex digits>")
    return replace(
        image, registry="", repository=match["repository"], tag=match["tag"], digest=match["digest"]
    )
