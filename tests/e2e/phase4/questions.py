"""What is asked of a stack of phase 4 while parts of it are hurt."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TypeAlias

import httpx

from ops.web import tenant_header
from tests.support.numbered import METRIC, Load, trace_id
from tests.support.object_site import LOKI, MIMIR, TEMPO, TENANT, ObjectSite
from tests.support.waiting import until
from tests.support.watching import Question

GRAFANA = 3000
ASK_SECONDS = 10.0
ANSWERED_SECONDS = 300.0
"""Until all stores have answered for the first time on a busy machine."""
NOT_YET = (httpx.HTTPError, KeyError)


Ask: TypeAlias = Callable[[str, Mapping[str, str]], httpx.Response]
"""Queries the store at an address once, with parameters."""


def of_stores(site: ObjectSite, load: Load) -> Mapping[str, Question]:
    """Ask every store for something that a load has sent."""
    urls = {"tempo": site.url(TEMPO), "mimir": site.url(MIMIR), "loki": site.url(LOKI)}
    return _questions(load, urls, _ask)


def await_answers(site: ObjectSite, load: Load) -> None:
    """Wait until every store has something of a load."""
    for name, question in of_stores(site, load).items():
        until(f"an answer of {name}", question, seconds=ANSWERED_SECONDS, forgive=NOT_YET, pause=1)


def of_grafana(site: ObjectSite, load: Load, cookies: Mapping[str, str]) -> Mapping[str, Question]:
    """Ask Grafana whose a session is, and for the same of its data sources."""
    service = site.services["grafana"]

    def ask(url: str, parameters: Mapping[str, str]) -> httpx.Response:
        answer = httpx.get(url, params=dict(parameters), cookies=dict(cookies), timeout=ASK_SECONDS)
        return answer.raise_for_status()

    proxy = f"http://{service}:{GRAFANA}/api/datasources/proxy/uid"
    asked = _questions(load, {uid: f"{proxy}/{uid}" for uid in ("tempo", "mimir", "loki")}, ask)
    return {"session": lambda: user_of(service, cookies), **asked}


def asked_of_grafana(site: ObjectSite, cookies: Mapping[str, str], uid: str, path: str) -> int:
    """Give the status that Grafana passes on when somebody asks a data source for a path."""
    url = f"http://{site.services['grafana']}:{GRAFANA}/api/datasources/proxy/uid/{uid}{path}"
    return httpx.get(url, cookies=dict(cookies), timeout=ASK_SECONDS).status_code


def _questions(load: Load, urls: Mapping[str, str], ask: Ask) -> Mapping[str, Question]:
    service = f'service_name="{load.service}"'
    # Tail sampling keeps every trace with an error, and every tenth has one.
    first = trace_id(load.run, 0).hex()
    range_of = f"count(last_over_time({METRIC}{{{service}}}[10m]))"
    lines = {"query": f"{{{service}}}", "since": "1h", "limit": "10"}
    return {
        "tempo": lambda: ask(f"{urls['tempo']}/api/traces/{first}", {}).content,
        "mimir": lambda: _result(ask(f"{urls['mimir']}/api/v1/query", {"query": range_of})),
        "loki-cluster": lambda: _result(ask(f"{urls['loki']}/loki/api/v1/query_range", lines)),
    }


def _ask(url: str, parameters: Mapping[str, str]) -> httpx.Response:
    """Ask once; a request on its way to a pod that vanished is never answered."""
    answer = httpx.get(url, params=dict(parameters), headers=tenant_header(TENANT), timeout=ASK_SECONDS)
    return answer.raise_for_status()


def _result(answer: httpx.Response) -> object:
    return answer.json()["data"]["result"]


def password_of(site: ObjectSite) -> str:
    """Read the password of Grafana's administrator from its Secret."""
    secrets = site.cluster.get("secrets", f"--namespace={site.namespace}")["items"]
    return next(
        base64.b64decode(value).decode()
        for secret in secrets
        for key, value in secret["data"].items()
        if key.endswith("admin-password")
    )


def signed_in(site: ObjectSite, address: str = "") -> dict[str, str]:
    """Sign in to Grafana, at its Service or at one replica, and give the session's cookies."""
    url = f"http://{address or site.services['grafana']}:{GRAFANA}/login"
    login = {"user": "admin", "password": password_of(site)}
    answer = httpx.post(url, json=login, timeout=ASK_SECONDS).raise_for_status()
    return dict(answer.cookies)


def user_of(address: str, cookies: Mapping[str, str]) -> str:
    """Ask a Grafana whose session it is."""
    url = f"http://{address}:{GRAFANA}/api/user"
    answer = httpx.get(url, cookies=dict(cookies), timeout=ASK_SECONDS).raise_for_status()
    return str(answer.json()["login"])
