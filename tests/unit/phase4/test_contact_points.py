"""What a message from Mimir's Alertmanager says, and where its links lead."""

from __future__ import annotations

from typing import Any

import yaml

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


def test_alerts_of_two_environments_are_not_taken_for_one() -> None:
    """Alertmanager groups by labels, and PagerDuty opens one incident for each group."""
    stack = made("phase4-small", environment="staging", alerting={"contactPoints": POINTS})
    files = {
        **{
            f"mimir {path}": text
            for path, text in stack.files(stack.program("mimir")).items()
            if path.startswith("rules/")
        },
        **{
            f"loki {path}": text
            for path, text in stack.files(stack.program("loki-cluster")).items()
            if "rules/" in path
        },
    }
    alerts = [rule for text in files.values() for rule in rules_in(text) if "alert" in rule]
    own = rules_in(stack.files(stack.program("grafana"))["provisioning/alerting/rules.yaml"])
    assert {rule["alert"] for rule in alerts} >= {"StoreQuorumLost", "InstanceDown", "ErrorLogsRising"}
    assert {rule["title"] for rule in own} >= {"RulesNotEvaluated"}
    assert {rule["labels"]["environment"] for rule in [*alerts, *own]} == {"staging"}
    route = stack.document("mimir", "alertmanager.yaml")["route"]
    policies = stack.document("grafana", "provisioning/alerting/contact-points.yaml")["policies"]
    assert all("environment" in one["group_by"] for one in [route, *policies])


def rules_in(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
