"""What a store flushes to its bucket when told to, and how long that takes."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from tests.support.minio_pods import BUCKETS
from tests.support.object_site import BUCKET_OF, TENANT, ObjectSite
from tests.support.objects import Objects
from tests.support.waiting import until

PAUSE_SECONDS = 2.0
QUIET = 10
"""Checks without a new object after which the store has flushed all of them."""


def await_more(objects: Objects, store: str, before: Collection[str], *, seconds: float) -> None:
    """Wait until a store has written something of the tenant that was not in its bucket before."""
    bucket = BUCKETS[BUCKET_OF[store]]

    def has_more() -> bool:
        return any(key.startswith(f"{TENANT}/") for key in set(objects.keys_of(bucket)) - set(before))

    until(f"{store} to hand over to {bucket}", has_more, seconds=seconds, pause=1)


def hand_over(
    site: ObjectSite, objects: Objects, store: str, before: Collection[str]
) -> tuple[float, Mapping[str, int]]:
    """Flush a store: give the seconds until the last object is there, and the tenant's new ones by size."""
    bucket, begin = BUCKETS[BUCKET_OF[store]], time.monotonic()
    site.flush(store)
    end, quiet = time.monotonic(), 0
    last: dict[str, int] = {}
    while quiet < QUIET:
        now = {key: size for key, size in objects.sizes(bucket).items() if key not in before}
        end, quiet = (end, quiet + 1) if now == last else (time.monotonic(), 0)
        last = now
        time.sleep(PAUSE_SECONDS)
    return end - begin, {key: size for key, size in last.items() if key.startswith(f"{TENANT}/")}
