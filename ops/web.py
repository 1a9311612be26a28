"""HTTP to the stack itself."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import httpx

from components.stores.cluster import TENANT_HEADER

ANSWER_SECONDS = 10.0
MAX_PORT = 65535
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def keep_loopback_direct(environ: MutableMapping[str, str]) -> None:
    """Keep every client of this process from sending requests for this machine through a proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        present = [host for host in environ.get(name, "").split(",") if host]
        environ[name] = ",".join([*present, *(host for host in LOOPBACK if host not in present)])


def base_address(text: str) -> str:
    """Give an address to which paths are added, without a slash at its end.

    Raises:
        ValueError: it is none; says why.
    """
    if not text.lower().startswith(("http://", "https://")):
        raise ValueError("it begins with neither http:// nor https://")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
    if not url.host:
        raise ValueError("it names no host")
    url.host.encode("idna")  # as a connection does
    if url.port is not None and not 1 <= url.port <= MAX_PORT:
        raise ValueError(f"its port is not one of 1 to {MAX_PORT}")
    if url.query or url.fragment:
        raise ValueError("it goes on after its path")
    return text.rstrip("/")


def tenant_header(tenant: str) -> dict[str, str]:
    """Give the header by which Loki, Mimir and Tempo tell tenants apart; none without a tenant."""
    return {TENANT_HEADER: tenant} if tenant else {}


def get_json(client: httpx.Client, url: str, params: Mapping[str, str] | None = None) -> Any:
    """Get a JSON document.

    Raises:
        httpx.HTTPError: no answer, or not a successful one.
        ValueError: the answer is not JSON.
    """
    answer = client.get(url, params=params)
    answer.raise_for_status()
    return answer.json()


def problem(error: httpx.HTTPError | ValueError) -> str:
    """Describe a failed request in a few words."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
