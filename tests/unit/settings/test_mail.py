"""Contact points that get e-mail, and the server for it: what is taken, what is refused in which words."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import Settings, SettingsError
from tests.support.variants_phase4 import OBJECT_VARIANTS

OPS = {"name": "ops", "type": "email", "addresses": ["ops@example.com"]}
SLACK = {"name": "team", "type": "slack", "secret": "slack"}
SERVER = {"host": "mail.example.com", "fromAddress": "telemetry@example.com"}
LOGIN = {"username": "telemetry", "passwordSecret": "smtp"}


def load(*points: dict[str, Any], smtp: dict[str, Any] | None = None) -> Settings:
    alerting = {"contactPoints": list(points), **({} if smtp is None else {"smtp": smtp})}
    return Settings.load({**OBJECT_VARIANTS["phase4-small"], "alerting": alerting})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"port": 465},
        {"port": 465, **LOGIN},
        LOGIN,
        {**LOGIN, "username": "apps|a-1.b@example.com+#"},
        {"tls": False, "port": 25},
        {"host": "postfix.mail.svc"},
    ],
)
def test_a_server_is_taken(more: dict[str, Any]) -> None:
    found = load(OPS, SLACK, smtp={**SERVER, **more})
    assert found.alerting.smtp is not None
    assert found.alerting.smtp.port == more.get("port", 587)
    assert found.warnings() == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"username": "telemetry"},
            "passwordSecret: not set: alerting.smtp.username needs the name of a Secret in the stack's",
        ),
        (
            {"passwordSecret": "smtp"},
            "passwordSecret: 'smtp': only with alerting.smtp.username; set that, or",
        ),
        ({**LOGIN, "tls": False}, "tls: False: the password would travel in clear; remove this, or username"),
        (
            {"port": 465, "tls": False},
            "tls: False: port 465 always has TLS; remove this, or set another port",
        ),
        (
            {**LOGIN, "username": "a b"},
            "username: 'a b': write 1 to 256 ASCII characters, without spaces and $",
        ),
        ({**LOGIN, "username": "$a"}, "username: '$a': write 1 to 256 ASCII characters"),
        (
            {"host": "postfix"},
            "host: 'postfix': a name without a namespace, or ending in -headless, means one",
        ),
        (
            {"host": "mail.example.com:25"},
            "host: 'mail.example.com:25': write a host name or address, without",
        ),
        (
            {"fromAddress": "Ops <ops@example.com>"},
            "fromAddress: 'Ops <ops@example.com>': write an e-mail addr",
        ),
    ],
)
def test_another_server_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(OPS, smtp={**SERVER, **more})
    assert f"1 setting is wrong:\n  alerting.smtp.{words}" in str(refused.value)


@pytest.mark.parametrize("key", SERVER)
def test_a_server_has_a_name_and_a_sender(key: str) -> None:
    smtp = {name: value for name, value in SERVER.items() if name != key}
    with pytest.raises(
        SettingsError, match=rf"alerting\.smtp\.{key}: not set: required where alerting\.smtp is"
    ):
        load(OPS, smtp=smtp)


def test_mail_needs_a_server() -> None:
    with pytest.raises(
        SettingsError, match=r"alerting\.smtp: not set: contact points of type email need it: host"
    ):
        load(SLACK, OPS)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {**OPS, "secret": "ops"},
            "secret: 'ops': not for type email, whose login is in alerting.smtp; remove it",
        ),
        ({**OPS, "port": 25}, "port: 25: not for type email, which has that of alerting.smtp; remove it"),
        (
            {"name": "ops", "type": "email"},
            "addresses: not set: type email needs a list of at least one, such as [ops@example.com]",
        ),
        ({**OPS, "addresses": []}, "addresses: not set: type email needs a list of at least one"),
        (
            {"name": "team", "type": "slack"},
            "secret: not set: type slack needs the name of a Secret in the stack's namespace with the ",
        ),
        (
            {**SLACK, "addresses": ["ops@example.com"]},
            "addresses: ['ops@example.com']: only for type email; the address of slack is in its Secret",
        ),
    ],
)
def test_contact_points_have_what_their_type_needs(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**OPS, "name": "others"}, wrong, smtp=SERVER)
    assert f"1 setting is wrong:\n  alerting.contactPoints.1.{words}" in str(refused.value)


@pytest.mark.parametrize(
    "address", ["ops@example.com", "first.last+otel@sub.example.co", "1_a-b@x-1.example", "OPS@EXAMPLE.COM"]
)
def test_addresses_are_taken(address: str) -> None:
    found = load({**OPS, "addresses": [address]}, smtp=SERVER)
    assert found.alerting.contact_points[0].addresses == (address,)


@pytest.mark.parametrize(
    "address",
    [
        "ops",
        "ops@localhost",
        "ops@example.com.",
        "ops@-example.com",
        "ops@example..com",
        ".ops@example.com",
        "o..ps@example.com",
        "ops@example.com,dev@example.com",
        "ops@example.com;dev@example.com",
        "Ops <ops@example.com>",
        "{{ .GroupLabels.team }}@example.com",
        "$HOME@example.com",
        " ops@example.com",
        "ops@192.0.2.1",
    ],
)
def test_addresses_that_one_of_the_programs_would_read_otherwise_are_refused(address: str) -> None:
    with pytest.raises(
        SettingsError, match=r"addresses\.0: .*write an e-mail address alone, such as ops@example"
    ):
        load({**OPS, "addresses": [address]}, smtp=SERVER)
