"""More of every signal than a stack on Docker can take, which no program may die of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from tests.support.docker_site import Site
from tests.support.filling import fill_all

OVERLOAD_SECONDS = 60.0


@contextmanager
def overloaded(
    site: Site, stores: Collection[str], note: Callable[[Mapping[str, object]], None]
) -> Iterator[None]:
    """Send for a minute as fast as is accepted; some stores are away from before it until the block ends."""
    with site.away(*stores):
        note({"beside it": fill_all(site.target, seconds=OVERLOAD_SECONDS)})
        yield


@contextmanager
def all_survive(site: Site, *, but: Collection[str]) -> Iterator[None]:
    """Require that no program is started again until the block ends, except those that the drill stops."""
    before = site.lives()
    yield
    ended = {name for name, life in site.lives().items() if life != before[name] and name not in but}
    assert not ended, f"died of it: {ended}"
