"""Mimir's Alertmanager with contact points of every type: who is told, and how often."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from components.alerts.contact_points import Contacts, alertmanager_configuration, path
from components.alerts.mail import PASSWORD
from components.sections.alerting import IMPLICIT_TLS, ContactPoint, SmtpSection
from tests.stores.making import MIMIR, StoreMaker
from tests.stores.replicas import TENANT, Store
from tests.support.encrypted import issued
from tests.support.mailbox import mailbox
from tests.support.recorder import recorder
from tests.support.waiting import until

pytestmark = pytest.mark.long

TOLD_SECONDS = 120.0
"""The route waits 30 s for alerts of the same group, each replica 15 s for those before it."""
AGAIN_SECONDS = 60.0
"""By then the last of three replicas would have told as well, had it not heard that another one has."""

POINTS = (
    ContactPoint(name="tickets", type="webhook", secret="tickets"),
    ContactPoint(name="team", type="slack", secret="slack"),
    ContactPoint(name="owners", type="email", addresses=("ops@example.com", "dev@example.com")),
    ContactPoint(name="on-call", type="pagerduty", secret="pagerduty", severities=("warning",)),
)
"""The last is told nothing here: its address is not in the settings, so it would leave the machine."""
ANNOTATIONS = {
    "summary": "A bucket burns",
    "description": "451 degrees; allowed: 40.",
    "runbook_url": "https://docs.example.com/runbooks/alerts.md#bucketisonfire",
}
GRAFANA = "https://grafana.example.com"
MAIL_HOST = "127.0.57.25"
LOGIN = {"username": "telemetry", "password": "correct horse"}

LOADED = 'cortex_alertmanager_config_last_reload_successful{user="otel-stack"} 1'


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("port", [2587, IMPLICIT_TLS], ids=["STARTTLS", "TLS at once"])
def test_every_contact_point_of_the_severity_is_told(stores: StoreMaker, tmp_path: Path, port: int) -> None:
    server = issued(MAIL_HOST)
    (tmp_path / "ca.crt").write_text(server.authority)
    (tmp_path / "secrets").mkdir()
    (tmp_path / PASSWORD).write_text(f"{LOGIN['password']}\n")
    with recorder(b"ok") as (url, sent), mailbox(MAIL_HOST, port, server, tmp_path, **LOGIN) as mail:
        for point in filter(lambda one: one.secret, POINTS):
            secret = "key" if point.type == "pagerduty" else f"{url}/{point.name}"
            (tmp_path / path(point)).write_text(f"{secret}\n")
        smtp = SmtpSection(
            host=MAIL_HOST,
            port=port,
            from_address="telemetry@example.com",
            username=LOGIN["username"],
            password_secret="smtp",
        )
        contacts = Contacts(points=POINTS, smtp=smtp, grafana=GRAFANA)
        document = alertmanager_configuration(contacts, str(tmp_path))
        mimir = stores.make(MIMIR, "127.0.57", files={"alertmanager.yaml": document.dump()})
        mimir.variables = {**mimir.variables, "SSL_CERT_FILE": str(tmp_path / "ca.crt")}
        try:
            mimir.begin_all()
            _raise_alert(mimir)
            until("all replicas use the contact points", lambda: _all_loaded(mimir), seconds=TOLD_SECONDS)
            paths = {"/tickets", "/team"}
            until("all are told", lambda: mail and {one.path for one in sent} >= paths, seconds=TOLD_SECONDS)
            time.sleep(AGAIN_SECONDS)
        finally:
            mimir.end()
    assert Counter(one.path for one in sent) == dict.fromkeys(paths, 1)
    assert all(b"BucketIsOnFire" in one.body for one in sent)
    for text in ANNOTATIONS.values():
        assert all(text.encode() in one.body for one in sent)
    (message,) = (json.loads(one.body)["attachments"] for one in sent if one.path == "/team")
    assert message[0]["title_link"].startswith(f"{GRAFANA}/")
    (one,) = mail
    assert (one.sender, one.recipients) == ("telemetry@example.com", ["ops@example.com", "dev@example.com"])
    assert "BucketIsOnFire" in str(one.message["Subject"])
    content = one.message.get_body()
    assert content is not None
    assert ANNOTATIONS["description"] in content.get_content()


def _raise_alert(mimir: Store) -> None:
    labels = {"alertname": "BucketIsOnFire", "severity": "critical"}
    alert = {"labels": labels, "annotations": ANNOTATIONS}
    url = f"{mimir.url()}/alertmanager/api/v2/alerts"

    def is_taken() -> bool:
        return httpx.post(url, json=[alert], headers=TENANT, timeout=30).is_success

    until("the Alertmanager takes an alert", is_taken, seconds=TOLD_SECONDS, forgive=(httpx.HTTPError,))


def _all_loaded(mimir: Store) -> bool:
    metrics = [httpx.get(f"{mimir.url(one)}/metrics", timeout=30).text for one in mimir.addresses]
    return all(LOADED in text for text in metrics)
