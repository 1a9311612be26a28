"""E-mail for alerts: what Mimir's Alertmanager and Grafana are told, and who may read and reach what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.made import made
from tests.support.manifests import Tree, name_of
from tests.support.phase4 import grafana_settings, objects_of
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

POINT = {"name": "ops", "type": "email", "addresses": ["ops@example.com", "dev@example.com"]}
SLACK = {"name": "team", "type": "slack", "secret": "slack"}
SERVER = {"host": "mail.example.com", "port": 2587, "fromAddress": "telemetry@example.com"}
LOGIN = {"username": "telemetry", "passwordSecret": "smtp"}
PASSWORD = "secrets/smtp-password"


def mailing(**more: Any) -> dict[str, Any]:
    return {"contactPoints": [POINT], "smtp": {**SERVER, **more}}


def variables(found: Tree) -> dict[str, str]:
    """Give Grafana's variables of e-mail."""
    prefix = "GF_SMTP_"
    environment = found.program("grafana").environment().items()
    return {name.removeprefix(prefix): value for name, value in environment if name.startswith(prefix)}


@pytest.mark.parametrize(
    ("port", "tls", "policy"),
    [(2587, True, "MandatoryStartTLS"), (465, True, "MandatoryStartTLS"), (25, False, "NoStartTLS")],
)
def test_both_programs_have_the_server(port: int, tls: bool, policy: str) -> None:
    """On port 465 both begin with TLS whatever they are told, and then do not ask for STARTTLS."""
    found = made("phase4-small", alerting=mailing(port=port, tls=tls))
    address = f"mail.example.com:{port}"
    assert found.document("mimir", "alertmanager.yaml")["global"] == {
        "smtp_smarthost": address,
        "smtp_from": "telemetry@example.com",
        "smtp_require_tls": tls,
    }
    assert variables(found) == {
        "ENABLED": "true",
        "HOST": address,
        "FROM_ADDRESS": "telemetry@example.com",
        "STARTTLS_POLICY": policy,
    }
    assert not grafana_settings(found).has_section("smtp")


def test_both_programs_read_the_password_from_a_file() -> None:
    found = made("phase4-small", alerting=mailing(**LOGIN))
    known = found.document("mimir", "alertmanager.yaml")["global"]
    assert known["smtp_auth_username"] == variables(found)["USER"] == "telemetry"
    assert known["smtp_auth_password_file"] == f"/etc/mimir/{PASSWORD}"
    assert dict(grafana_settings(found)["smtp"]) == {"password": f"$__file{{/etc/grafana/{PASSWORD}}}"}
    for program in ("mimir", "grafana"):
        assert mounted(found, program) == [{"key": "password", "path": PASSWORD}]


def mounted(found: Tree, program: str) -> list[dict[str, str]]:
    """Give the files with the password in a program's pods, each from the Secret that the settings name."""
    return [
        {"key": item["key"], "path": item["path"]}
        for volume in found.program(program).pod["volumes"]
        for source in volume.get("projected", {}).get("sources", ())
        if source.get("secret", {}).get("name") == "smtp"
        for item in source["secret"]["items"]
    ]


def test_everybody_gets_the_same_mail() -> None:
    found = made("phase4-small", alerting=mailing())
    receiver = found.document("mimir", "alertmanager.yaml")["receivers"][1]
    told = {"to": "ops@example.com, dev@example.com", "send_resolved": True}
    assert receiver == {"name": "ops", "email_configs": [told]}
    (point,) = found.document("grafana", "provisioning/alerting/contact-points.yaml")["contactPoints"]
    settings = {"addresses": "ops@example.com;dev@example.com", "singleEmail": True}
    assert point == {
        "orgId": 1,
        "name": "ops",
        "receivers": [{"uid": "ops", "type": "email", "settings": settings}],
    }


def test_only_what_sends_it_may_read_the_password_and_reach_the_server() -> None:
    found = made("phase4-split", alerting=mailing(**LOGIN))
    assert {one.name for one in found.programs() if PASSWORD in str(one.object)} == {
        "grafana",
        "mimir-backend",
    }
    opened = {name_of(one) for one in found.of("NetworkPolicy") if "2587" in str(one)}
    assert opened == {"grafana-egress", "mimir-backend-egress"}
    closed = {name_of(one) for one in objects_of("phase4-split").of("NetworkPolicy") if "2587" in str(one)}
    assert closed == set()


def test_the_port_of_other_contact_points_stays_shut_where_there_is_only_mail() -> None:
    policy = made("phase4-split", alerting=mailing()).get("NetworkPolicy", "grafana-egress")
    rules = [rule for rule in policy["spec"]["egress"] if "to" not in rule]
    assert {one["port"] for rule in rules for one in rule["ports"]} - {53} == {2587}


def test_a_server_that_nobody_gets_mail_from_is_given_to_nobody() -> None:
    alerting = {"contactPoints": [SLACK], "smtp": {**SERVER, **LOGIN}}
    found, without = (made("phase4-split", alerting=one) for one in (alerting, {"contactPoints": [SLACK]}))
    assert [one.name for one in found.programs() if one != without.program(one.name)] == []
    assert [one for one in found.of("NetworkPolicy") if "2587" in str(one)] == []


def test_no_output_has_the_login() -> None:
    outputs = run_program(OBJECT_VARIANTS["phase4-everything-set"]).outputs
    assert "smtp" not in json.dumps(outputs, default=str)
