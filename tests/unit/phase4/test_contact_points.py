"""What a message from Mimir's Alertmanager says, and where its links lead."""

from __future__ import annotations

from tests.support.made import made

GRAFANA = "https://grafana.example.com"
LINK = f"{GRAFANA}/alerting/groups?alertmanager=Alertmanager"
POINTS = [
    {"name": "team", "type": "slack", "secret": "slack"},
    {"name": "on-call", "type": "pagerduty", "secret": "pagerduty"},
]


def test_messages_say_what_is_wrong_and_lead_to_grafana() -> None:
    stack = made("phase4-small", alerting={"contactPoints": POINTS}, grafana={"rootUrl": GRAFANA})
    receivers = stack.document("mimir", "alertmanager.yaml")["receivers"]
    found = {one["name"]: one for one in receivers}
    (slack,), (pagerduty,) = found["team"]["slack_configs"], found["on-call"]["pagerduty_configs"]
    assert (slack["title_link"], pagerduty["client_url"]) == (LINK, LINK)
    for annotation in ("summary", "description", "runbook_url"):
        assert f"{{{{ .Annotations.{annotation} }}}}" in slack["text"]
