"""Stores divided into parts: every part starts, finds the others, and is ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.stores.conftest import MakeStore

pytestmark = pytest.mark.long

STORES: dict[str, Mapping[str, Any]] = {
    "tempo": {
        "parts": "tempo",
        "binary": "tempo",
        "port": 3200,
        "data": "/var/tempo",
        "network": "127.0.53",
        "others": {"http://mimir:9009": "http://127.0.53.99:9009", "0.0.0.0:431": "${POD_IP}:431"},
    },
    "mimir": {"parts": "mimir", "binary": "mimir", "port": 9009, "data": "/data", "network": "127.0.51"},
    "loki-cluster": {
        "parts": "loki",
        "binary": "loki",
        "port": 3100,
        "data": "/loki",
        "network": "127.0.52",
        "others": {
            "http://mimir:9009": "http://127.0.52.99:9009",
            "http://mimir-backend:9009": "http://127.0.52.99:9009",
        },
    },
}


@pytest.mark.parametrize("name", STORES)
def test_every_part_gets_ready(name: str, make_store: MakeStore) -> None:
    store = make_store(name, **STORES[name])
    assert len(store.parts) == len(store.addresses) > 1
    try:
        store.begin_all()
    finally:
        store.end()
