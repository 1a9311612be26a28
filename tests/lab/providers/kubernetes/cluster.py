"""The connection to the API server: made when first needed, errors reported in plain words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import urllib3
from kubernetes import client

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes.kubeconfig import connect
from tests.lab.providers.kubernetes.settings import Settings

_REACH_TIMEOUT = 5.0
"""Seconds that an API server gets to show that it is there."""

_TIMEOUT = 60.0
"""Seconds that the API server may take for one answer."""


class UnreachableError(ProviderError):
    """No API server answers, or there is no kubeconfig to say where one is."""


class RefusedError(ProviderError):
    """The API server said no.

    Args:
        status: the ``Status`` object of its answer; it has ``code``, ``reason``, ``message`` and ``details``.
    """

    def __init__(self, status: Mapping[str, Any]) -> None:
        super().__init__(str(status.get("message") or status))
        self.code = int(status.get("code") or 0)
        self.reason = str(status.get("reason") or "")
        details = status.get("details") or {}
        self.about = str(details.get("kind") or "")
        self.causes: list[dict[str, str]] = details.get("causes") or []


class Cluster:
    """Answers requests by path; safe for use from many threads. Nothing is contacted before it is needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: client.ApiClient | None = None
        self._problem: str | None = None

    def problem(self) -> str | None:
        """Why no API server can be reached, None when one answers; asked once."""
        with self._lock:
            if self._client is None and self._problem is None:
                self._problem = self._reach()
            return self._problem

    def request(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        body: object = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """The object that the API server answers with.

        Raises:
            UnreachableError: nobody answers.
            RefusedError: the API server answered with an error.
        """
        problem = self.problem()
        if problem is not None or self._client is None:
            raise UnreachableError(f"the configured Kubernetes cluster is unreachable: {problem}")
        return self._send(self._client, method, path, query, body, content_type, _TIMEOUT)

    def _reach(self) -> str | None:
        try:
            api = connect(self._settings)
            self._send(api, "GET", "/version", (), None, "application/json", _REACH_TIMEOUT)
        except ProviderError as error:
            return str(error)
        self._client = api
        return None

    def _send(
        self,
        api: client.ApiClient,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]],
        body: object,
        content_type: str,
        timeout: float,
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        is_json = content_type in ("application/json", "application/json-patch+json")
        serialized = api.param_serialize(
            method,
            path,
            query_params=list(query),
            header_params=headers,
            body=body if is_json else json.dumps(body),
            auth_settings=["BearerToken"],
        )
        try:
            response = api.call_api(*serialized, _request_timeout=timeout)
            data: bytes = response.read()  # type: ignore[no-untyped-call]
        except (urllib3.exceptions.HTTPError, OSError) as error:
            host = api.configuration.host
            raise UnreachableError(f"{method} {host}{path} failed: {_cause(error)}") from error
        answer = _parsed(data)
        if not 200 <= response.status <= 299:
            raise RefusedError({"code": response.status, "message": response.reason, **answer})
        return answer


def _parsed(data: bytes) -> dict[str, Any]:
    """The answer's object; paths that the API server does not have are answered with plain text."""
    try:
        answer = json.loads(data)
    except ValueError:
        return {"message": data.decode(errors="replace").strip()}
    return answer if isinstance(answer, dict) else {"message": str(answer)}


def _cause(error: BaseException) -> str:
    """The operating system's word for what failed, where there is one."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.strerror:
            return link.strerror
        link = link.__cause__ or link.__context__ or getattr(link, "reason", None)
    return str(error)
