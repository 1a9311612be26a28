"""Another version of a program: the same one in an image of its own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from components.images import CATALOGUE
from tests.support.docker_engine import Engine


@contextmanager
def next_version(engine: Engine, program: str) -> Iterator[str]:
    """Make an image with another id and tag; give its reference, and remove it afterwards.

    Nothing may use it any more by then.
    """
    image = CATALOGUE[program]
    engine.provide([image.reference])
    reference = f"{image.repository}:{image.tag}-next"
    recipe = f"FROM {image.reference}\nLABEL version=next\n"
    engine.client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=reference, rm=True)
    yield reference
    users = [one.name for one in engine.client.containers.list(all=True, filters={"ancestor": reference})]
    assert not users, f"{reference} is still run by {users}"
    engine.client.images.remove(reference)
