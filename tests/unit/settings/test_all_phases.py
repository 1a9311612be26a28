from __future__ import annotations

import dataclasses
import json
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.settings import Settings, SettingsError
from components.settings.schema import PATH, schema_text, stack_file_schema
from components.values.quantities import Duration, Size
from tests.support.program import ROOT

REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"environment": "dev-"}, "environment: 'dev-': write a lower-case letter, .* no hyphen at the end"),
    ({"images": {"overrides": {"loki": "loki-:3.7"}}}, r"images.overrides.loki: 'loki-:3.7': write repo"),
    ({"grafana": {"rootUrl": "https://a:b@g.example.com/"}}, r"rootUrl: .*, without user and password"),
    ({"enviroment": "x"}, r"enviroment: 'x': unknown key; did you mean environment\?"),
    ({"retention": {"trace": "1h"}}, r"retention\.trace: '1h': unknown key; did you mean traces\?"),
    ({"sizing": {"loki": {"memry": "1GiB"}}}, r"sizing\.loki\.memry: .* did you mean memory\?"),
    ({"grafana": {"zzz": 1}}, r"grafana\.zzz: 1: unknown key; known here: bindAddress, port"),
    (
        {"ingest": {"maxMessageSize": "9MiB"}},
        r"ingest\.maxMessageSize: '9MiB': up to 8MiB where Jaeger stores",
    ),
    *(
        (
            {"ingest": {"maxMessageSize": given}},
            rf"ingest\.maxMessageSize: '{given}': a whole number of MiB, .* Set {next_one}$",
        )
        for given, next_one in (("512KiB", "1MiB"), ("1B", "1MiB"), ("4MB", "4MiB"), ("7681KiB", "8MiB"))
    ),
    (
        {"phase": 2, "ingest": {"maxMessageSize": "51MiB"}},
        r"maxMessageSize: '51MiB': up to 8MiB where Jaeger",
    ),
    (
        {"phase": 2, "kafka": {"security": {"mechanism": "PLAIN", "username": "otel"}}, "kafkaPassword": "x"},
        r"mechanism: 'PLAIN': only for .*\n.*username: 'otel': only .*\n.*kafkaPassword: '\(secret\)': only",
    ),
    (
        {"phase": 3, "kafka": {"mode": "strimzi"}, "kubernetes": {"existingSecrets": {"kafka": "login"}}},
        r"kubernetes\.existingSecrets\.kafka: 'login': only for kafka\.mode: external; .* strimzi are",
    ),
    (
        {"phase": 2, "sizing": {"gateway": {"replicas": 17}}},
        "sizing.gateway.replicas: 17: needs 17 gateways, but HAProxy knows 16",
    ),
    *(
        (
            {
                "phase": 2,
                "ingest": {"bindAddress": "10.0.0.5"},
                "docker": {"advertisedHost": "otel.example.com"},
                "kafka": {"copyTo": {"endpoint": f"{host}:4317"}},
            },
            rf"kafka.copyTo.endpoint: '{host}:4317': this stack itself",
        )
        for host in ("10.0.0.5", "otel.example.com")
    ),
    ({"ingest": {"bindAddress": "1\u0662\u0667.0.0.1"}}, "ingest.bindAddress: .*: write an IPv4 address"),
    ({"phase": "1"}, "phase: '1': must be a valid integer"),
    ({"phase": True}, "phase: True: must be a valid integer"),
    ({"phase": 0}, "phase: 0: must be greater than or equal to 1"),
    ({"phase": 5}, "phase: 5: must be less than or equal to 4"),
    ({"environment": 7}, "environment: 7: must be a valid string"),
    ({"environment": "Prod!"}, "environment: 'Prod!': write a lower-case letter"),
    (
        {"sizing": {"events_per_second": 5}},
        r"sizing\.events_per_second: 5: unknown key; did you mean eventsPerSecond",
    ),
    ({"sizing": "small"}, "sizing: 'small': must be an object"),
    ({"alerting": {"contactPoints": "x"}}, "alerting.contactPoints: 'x': must be a list: one item per line"),
    ({"images": {"overrides": "x"}}, "images.overrides: 'x': must be a map"),
    ({"kafka": {"copyTo": {}}}, "kafka.copyTo.endpoint: not set: required where kafka.copyTo is set"),
    (
        {"alerting": {"contactPoints": [{"name": "x"}]}},
        r"alerting.contactPoints.0.type: not set: ",
    ),
    (
        {"grafana": {"oidc": {"clientId": "x"}}},
        r"4 settings are wrong:\n.*clientSecret: not set: .*\n.*authUrl: .*\n.*tokenUrl: .*\n.*apiUrl: ",
    ),
    ({"sizing": {"preset": "tiny"}}, "sizing.preset: 'tiny': choose 'small', 'medium' or 'large'"),
    ({"sizing": {"eventsPerSecond": 0}}, "sizing.eventsPerSecond: 0: must be greater than or equal to 1"),
    ({"sizing": {"eventsPerSecond": -10}}, "sizing.eventsPerSecond: -10: must be greater"),
    ({"sizing": {"eventsPerSecond": 10.5}}, "sizing.eventsPerSecond: 10.5: must be a valid integer"),
    (
        {"sizing": {"jaeger": {"memory": "-1GiB"}}},
        "sizing.jaeger.memory: '-1GiB': write a whole number above 0",
    ),
    (
        {"sizing": {"jaeger": {"volume": "0GiB"}}},
        "sizing.jaeger.volume: '0GiB': write a whole number above 0",
    ),
    ({"phase": 2, "sizing": {"processor": {"volume": "9GiB"}}}, "sizing.processor.volume: .* unknown key"),
    ({"sizing": {"jaeger": {"cpus": 0}}}, "sizing.jaeger.cpus: 0: must be greater than 0"),
    ({"sizing": {"jaeger": {"memory": 1024}}}, "sizing.jaeger.memory: 1024: write a whole number"),
    (
        {"retention": {"traces": "30 days"}},
        "retention.traces: '30 days': write a whole number above 0 and a unit",
    ),
    (
        {"retention": {"metricsSize": "40"}},
        "retention.metricsSize: '40': write a whole number above 0 and a unit",
    ),
    ({"ingest": {"grpcPort": 0}}, "ingest.grpcPort: 0: must be greater than or equal to 1"),
    ({"ingest": {"httpPort": 65536}}, "ingest.httpPort: 65536: must be less than or equal to 65535"),
    ({"ingest": {"bindAddress": "nowhere"}}, "ingest.bindAddress: 'nowhere': write an IPv4 address"),
    ({"ingest": {"corsAllowedOrigins": ["shop.example.com"]}}, "corsAllowedOrigins.0: .*write an origin"),
    ({"ingest": {"grpcPort": 3000}}, "grafana.port: 3000: ingest.grpcPort uses this port already"),
    ({"query": {"lokiPort": 9090}}, "query.lokiPort: 9090: query.prometheusPort uses this port already"),
    (
        {"sizing": {"collector": {"memory": "64MiB"}}},
        "sizing.collector.memory: '64MiB': collector needs at least 256MiB",
    ),
    (
        {"sizing": {"preset": "small", "eventsPerSecond": 10}},
        "preset: small already sets the size; remove one",
    ),
    ({"sizing": {"eventsPerSecond": 60_000}}, "made for up to 50,000 events/s; set phase: 2"),
    ({"sizing": {"eventsPerSecond": 200_000}}, "made for up to 50,000 events/s; move to phase 3"),
    (
        {"phase": 2, "sizing": {"eventsPerSecond": 150_000}},
        "made for up to 100,000 events/s; move to phase 3",
    ),
    (
        {"sizing": {"jaeger": {"volume": "10GiB"}}},
        r"retention.traces: '30d': 1,000 events/s fill sizing.jaeger.volume",
    ),
    (
        {"sizing": {"loki": {"volume": "10GiB"}}},
        "retention.logs: '31d': 1,000 events/s fill sizing.loki.volume",
    ),
    (
        {"retention": {"metricsSize": "500MB"}},
        "retention.metrics: '30d': 1,000 events/s fill retention.metricsSize",
    ),
    (
        {"sizing": {"prometheus": {"volume": "10GiB"}}},
        "sizing.prometheus.volume: .* smaller than retention.metricsSize",
    ),
    (
        {"images": {"overrides": {"loki": "grafana/loki"}}},
        "images.overrides.loki: 'grafana/loki': write repository:tag",
    ),
    ({"images": {"overrides": {"loki": "loki:latest"}}}, "images.overrides.loki: .* with a fixed tag"),
    ({"images": {"registry": "mirror:65536"}}, "images.registry: 'mirror:65536': .* port up to 65535"),
    ({"images": {"registry": "https://mirror"}}, "images.registry: 'https://mirror': write host"),
    (
        {"docker": {"host": "tcp://10.0.0.1:2375"}},
        "docker.host: .*: write unix:///path/to/docker.sock or ssh://",
    ),
]


@pytest.mark.parametrize(
    ("config", "message"), REFUSALS, ids=[json.dumps(config)[:60] for config, _ in REFUSALS]
)
def test_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load(config)


def test_a_secret_under_a_wrong_key_is_not_shown() -> None:
    config = {"x:kafkaPasword": "hunter2", "x:query": '{"secret": "hunter2"}', "x:phase": "9"}
    with pytest.raises(SettingsError) as caught:
        Settings.from_pulumi(config, "x", secrets=["x:kafkaPasword", "x:query"])
    said = str(caught.value)
    assert "kafkaPasword: (secret): unknown key; did you mean kafkaPassword?" in said
    assert "query.secret: (secret)" in said
    assert "phase: 9: " in said
    assert "hunter2" not in said


def test_every_mistake_is_told_at_once() -> None:
    """Malformed keys do not hide what is wrong elsewhere."""
    with pytest.raises(SettingsError) as refused:
        Settings.load(
            {
                "phase": 9,
                "retention": {"traces": "soon"},
                "sizing": {"collector": {"memory": "1MiB"}, "preset": "small", "eventsPerSecond": 5},
                "grafana": {"port": 9090},
            }
        )
    keys = [problem.key for problem in refused.value.problems]
    assert keys == [
        "phase",
        "retention.traces",
        "sizing.eventsPerSecond",
        "grafana.port",
        "sizing.collector.memory",
    ]
    assert str(refused.value).startswith("5 settings are wrong:\n")


def test_rate_above_the_ceiling_can_be_allowed() -> None:
    settings = Settings.load({"sizing": {"eventsPerSecond": 60_000, "allowAboveCeiling": True}})
    assert ["set phase: 2" in warning for warning in settings.warnings()] == [True]
    assert Settings.load({}).warnings() == []


@pytest.mark.parametrize("preset", ["small", "medium", "large"])
def test_presets_fit_phase_one(preset: str) -> None:
    Settings.load({"sizing": {"preset": preset}})


def test_settings_are_frozen() -> None:
    settings = Settings.load({})
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.phase = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.ingest.grpc_port = 1  # type: ignore[misc]


def test_read_from_the_engines_flat_text() -> None:
    settings = Settings.from_pulumi(
        {
            "otel-stack:phase": "1",
            "otel-stack:environment": "staging",
            "otel-stack:ingest": '{"grpcPort": 14317}',
            "otel-stack:kafkaPassword": "12345",
            "docker:host": "elsewhere",
        },
        "otel-stack",
    )
    assert (settings.phase, settings.environment, settings.ingest.grpc_port) == (1, "staging", 14317)
    assert settings.kafka_password == "12345"
    assert "12345" not in repr(settings)


durations = st.integers(1, 10**6).map(lambda seconds: str(Duration(seconds)))
sizes = st.integers(2**28, 2**50).map(lambda count: str(Size(count)))
program_sizes = st.fixed_dictionaries({}, optional={"memory": sizes, "cpus": st.floats(0.1, 64)})
configurations = st.fixed_dictionaries(
    {},
    optional={
        "environment": st.from_regex(r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?", fullmatch=True),
        "sizing": st.fixed_dictionaries(
            {},
            optional={
                "eventsPerSecond": st.integers(1, 50_000),
                "loki": program_sizes,
                "jaeger": program_sizes,
            },
        ),
        "retention": st.fixed_dictionaries(
            {},
            optional={
                "traces": durations,
                "metrics": durations,
                "metricsOutOfOrder": durations,
                "logs": durations,
            },
        ),
        "ingest": st.fixed_dictionaries(
            {},
            optional={
                "grpcPort": st.integers(20_000, 29_999),
                "httpPort": st.integers(30_000, 39_999),
                "bindAddress": st.ip_addresses(v=4).map(str),
                "corsAllowedOrigins": st.lists(
                    st.sampled_from(["*", "https://a.example", "http://b.example:8080"])
                ),
            },
        ),
        "images": st.fixed_dictionaries(
            {}, optional={"registry": st.sampled_from(["mirror:5000", "mirror/hub"])}
        ),
    },
)


@given(config=configurations)
def test_round_trip(config: dict[str, Any]) -> None:
    """What is accepted can be written out, checked by the schema and read again as the same settings."""
    settings = Settings.load(config)
    assert Settings.load(settings.dump()) == settings
    jsonschema.validate(
        {"config": {f"otel-stack:{key}": value for key, value in settings.dump().items()}},
        stack_file_schema(),
    )


def test_schema_is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == schema_text(), (
        "run: .venv/bin/python -m components.settings.schema"
    )


def test_schema_refuses_what_the_loader_refuses() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": {"otel-stack:phase": 5}}, stack_file_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": {"otel-stack:retention": {"trace": "1h"}}}, stack_file_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": {"otel-stack:fase": 1}}, stack_file_schema())


def test_committed_stacks_are_accepted() -> None:
    files = sorted(ROOT.glob("Pulumi.*.yaml"))
    assert files
    for path in files:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        jsonschema.validate(content, stack_file_schema())
        Settings.load({key.removeprefix("otel-stack:"): value for key, value in content["config"].items()})
