"""The buffer by its settings: what is refused, and what topics are made with."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest
import yaml

from components.kafka.topics import DEAD_LETTERS, SOURCES
from components.settings import Settings, SettingsError
from components.settings.checks.buffer import MOST_BALANCED
from components.values.documents import text
from components.values.quantities import Duration
from tests.support.made import made, requests
from tests.support.program import CONTAINER, Result, run_program, unwrapped
from tests.support.variants import CLUSTER_VARIANTS, VARIANTS

EXTERNAL = VARIANTS["phase2-external-kafka"]

KUBERNETES = CLUSTER_VARIANTS["phase3-small"]["kubernetes"]

CA = "-----BEGIN CERTIFICATE-----\nMIIB+w==\n-----END CERTIFICATE-----\n"

FORGETTING = {"producer.id.expiration.ms", "producer.id.expiration.check.interval.ms"}
LOOKS = 100
"""How often, in milliseconds, a broker has to look at the least: a client that gives up as a broker is back
gives its number again 0.3 s later."""
COLLECTORS_TIMEOUT = "5s"
"""Of an exporter that names none."""

NOT_TAKEN = [
    'a"b',
    "a\\b",
    "a\nb",
    "ab\n",
    "a$$b",
    "a${env:HOME}b",
    "2026-11-28",
    "12345678901234567890",
    "a: b",
    "{a}",
]
TAKEN = [
    "hunter2",
    "12345",
    "a$b",
    "$",
    "a#b",
    "#a",
    "a'b",
    "'",
    "*a",
    "a:b",
    "[a",
    "]",
    "a;b=c/d",
    "ä ö",
    "(encrypted)",
]


@pytest.mark.parametrize("password", NOT_TAKEN)
def test_passwords_that_configurations_would_change_are_refused(password: str) -> None:
    with pytest.raises(SettingsError, match=r"kafkaPassword: '\(secret\)': collectors and Kafka's") as told:
        Settings.load({**EXTERNAL, "kafkaPassword": password})
    assert password not in str(told.value).replace("(a: b, {a})", "")


@pytest.mark.parametrize("password", TAKEN)
def test_other_passwords_are_taken_as_they_are(password: str) -> None:
    assert Settings.load({**EXTERNAL, "kafkaPassword": password}).kafka_password == password


REFUSALS: list[tuple[dict[str, Any], str]] = [
    (
        {**EXTERNAL["kafka"], "security": {"mechanism": "PLAIN", "username": "$ConnectionString${x}"}},
        r"kafka\.security\.username: '\$ConnectionString\$\{x\}': Kafka's tools and collectors parse it",
    ),
    ({"createTopics": False}, r"kafka\.createTopics: False: kafka\.mode: builtin creates its topics itself"),
    (
        {"mode": "strimzi", "createTopics": False},
        r"kafka\.createTopics: False: kafka\.mode: strimzi creates its topics itself",
    ),
    ({"minInSyncReplicas": 2}, r"kafka\.minInSyncReplicas: 2: only for kafka\.mode: external"),
    (
        {**EXTERNAL["kafka"], "brokers": 3},
        r"kafka\.brokers: 3: only for the stack's own brokers; .* Remove it",
    ),
    ({"security": {"ca": CA}}, r"kafka\.security\.ca: .* only for kafka\.mode: external"),
    (
        {**EXTERNAL["kafka"], "security": {"tls": False, "ca": CA}},
        r"kafka\.security\.ca: .* with kafka\.security\.tls: true",
    ),
    ({"security": {"ca": "kafka.pem"}}, r"kafka\.security\.ca: 'kafka\.pem': write certificates in PEM"),
    ({"minInSyncReplicas": 0}, r"kafka\.minInSyncReplicas: 0: must be greater than or equal to 1"),
]

SIZES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"preset": "large"}, {"retentionSize": "10GiB"}),
    ({"preset": "large"}, {"retentionSize": "17GiB", "retention": "23h", "partitions": 6}),
    ({"preset": "small"}, {"retentionSize": "500MiB"}),
]


@pytest.mark.parametrize(("sizing", "kafka"), SIZES)
def test_a_partition_that_is_full_before_the_retention_is_refused(
    sizing: dict[str, Any], kafka: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError, match=r"kafka\.retentionSize: .* fill it before kafka\.retention"):
        Settings.load({"phase": 2, "sizing": sizing, "kafka": kafka})


@pytest.mark.parametrize(
    "settings",
    [
        {"sizing": {"preset": "large"}, "kafka": {"retentionSize": "17GiB"}},
        {"sizing": {"preset": "large"}, "kafka": {"retentionSize": "10GiB", "retention": "12h"}},
        {"kafka": {"retentionSize": "1GiB"}},
        {"phase": 1, "sizing": {"preset": "large"}, "kafka": {"retentionSize": "1GiB"}},
    ],
)
def test_a_partition_that_holds_the_retention_is_accepted(settings: dict[str, Any]) -> None:
    Settings.load({"phase": 2, **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"sizing": {"processor": {"replicas": 7}}},
            r"sizing\.processor\.replicas: 7: 7 processors, .* for only 6 of them: .* to at least 7",
        ),
        (
            {"phase": 3, "sizing": {"eventsPerSecond": 600_000}, "kafka": {"partitions": 12}},
            r"kafka\.partitions: 12: 13 processors, but a partition for only 12 of them",
        ),
        (
            {"sizing": {"eventsPerSecond": 2_000_000, "allowAboveCeiling": True}},
            r"sizing\.eventsPerSecond: 2000000: needs 21 gateways, but HAProxy knows 16; move to phase 3",
        ),
    ],
)
def test_no_replica_without_work(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load({"phase": 2, "kubernetes": KUBERNETES, **settings})


def test_the_load_balancer_knows_as_many_gateways_as_may_be() -> None:
    servers = re.findall(r"server gateway-(\d+) ", text("haproxy/haproxy.cfg"))
    assert {int(number) for number in servers} == set(range(1, MOST_BALANCED + 1))


def test_partitions_follow_the_rate() -> None:
    lines = topics(run_program({"phase": 2, "sizing": {"preset": "large"}}))
    assert [f"retention.bytes={17 * 2**30}" in line for line in lines] == [True] * 4 + [False]


@pytest.mark.parametrize(("kafka", "message"), REFUSALS, ids=[str(kafka) for kafka, _ in REFUSALS])
def test_refused(kafka: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load({"phase": 2, "kafka": kafka})


def external(**kafka: Any) -> dict[str, Any]:
    return {**EXTERNAL, "kafka": {**EXTERNAL["kafka"], **kafka}}


def topics(result: Result) -> list[str]:
    """Give what the topics are to be made with, a line for each."""
    environment = result.container("kafka-topics").inputs["envs"]
    found = next(line for line in environment if line.startswith("TOPICS="))
    return str(found).removeprefix("TOPICS=").splitlines()


@pytest.mark.parametrize("preset", ["small", "medium"])
def test_an_external_kafka_says_itself_how_many_copies_must_have_a_record(preset: str) -> None:
    lines = topics(run_program({**external(), "sizing": {"preset": preset}}))
    assert len(lines) == 5
    assert not any("min.insync.replicas" in line for line in lines)


def test_or_the_settings_say_it() -> None:
    assert all(
        "min.insync.replicas=2," in line for line in topics(run_program(external(minInSyncReplicas=2)))
    )


@pytest.mark.parametrize("created", [True, False])
def test_who_creates_the_topics_decides_what_waits_for_them(created: bool) -> None:
    """Kafka's tools are there in any case; of topics that others make the stack wants only the names."""
    with requests() as registered:
        result = run_program(external(createTopics=created))
    container = result.container("kafka-topics").inputs
    names = dict(line.split("=", 1) for line in container["envs"])
    assert container["wait"] is created
    assert container["entrypoints"][-1].endswith("/topics.sh" if created else "/check-topics.sh")
    assert ({"KEYED", "READERS", "METRICS", "REPLICAS"} <= names.keys()) is created
    assert names["CLIENT"] == "/etc/kafka-topics/client.properties"
    lines = [line.split() for line in topics(result)]
    assert {line[0] for line in lines} == {*SOURCES.values(), DEAD_LETTERS}
    assert {len(line) for line in lines} == {3 if created else 1}
    stashed = [one.name for one in result.of("pulumi:index:Stash")]
    assert ("kafka-traces-partitions" in stashed) is created
    waiting = {one.name for one in registered for urn in one.dependencies if urn.endswith("::kafka-topics")}
    assert ({"otel-gateway-1", "otel-processor-1"} <= waiting) is created
    assert bool(waiting) is created


@pytest.mark.parametrize(
    ("stashed", "first", "kafka"),
    [("kafka-traces-partitions", 6, {"partitions": 12}), ("kafka-brokers", 3, {"brokers": 1})],
)
def test_strimzis_topics_keep_what_they_were_made_with(
    stashed: str, first: int, kafka: dict[str, int]
) -> None:
    settings = CLUSTER_VARIANTS["phase3-strimzi"]
    changed = {**settings, "kafka": {**settings["kafka"], **kafka}}
    with pytest.raises(pulumi.RunError, match=f"this stack was made with {first}"):
        run_program(changed, remembered={stashed: first})


def test_brokers_forget_a_producer_before_its_client_gives_a_number_twice() -> None:
    """What a client has given up may be stored, under a number that the next batch gets."""
    lines = text("kafka/server.properties").splitlines()
    own = dict(line.split("=", 1) for line in lines if line.startswith("producer.id."))
    forgotten = sum(map(int, own.values()))
    (strimzi,) = made("phase3-strimzi").of("Kafka")
    assert own.keys() == FORGETTING
    assert int(own["producer.id.expiration.check.interval.ms"]) <= LOOKS
    assert {key: str(strimzi["spec"]["kafka"]["config"][key]) for key in FORGETTING} == own
    for file in ("otel-gateway/gateway.yaml", "otel-processor/processor.yaml"):
        exporters = yaml.safe_load(text(file))["exporters"]
        kafka = {name: one for name, one in exporters.items() if name.startswith("kafka/")}
        assert kafka
        given_up = [one.get("timeout", COLLECTORS_TIMEOUT) for one in kafka.values()]
        assert all(forgotten < 1000 * Duration.parse(one).seconds for one in given_up)


def test_certificates_of_an_external_kafka_reach_whoever_speaks_to_it() -> None:
    result = run_program(external(security={**EXTERNAL["kafka"]["security"], "ca": CA}))
    for name, folder in {
        "otel-gateway": "/etc/otelcol",
        "otel-processor": "/etc/otelcol",
        "kafka-topics": "/etc/kafka-topics",
    }.items():
        holder = next(one for one in result.of(CONTAINER) if one.name.startswith(f"{name}-config-"))
        files = {upload["file"]: upload["content"] for upload in holder.plain("uploads")}
        path = next(path for path, content in files.items() if content == CA)
        named = f"{folder}/secrets/kafka-ca.crt"
        assert path.endswith("secrets/kafka-ca.crt")
        assert any(named in content for content in files.values()), f"{name}: no file names {named}"
        if name == "kafka-topics":
            properties = next(content for path, content in files.items() if path.endswith(".properties"))
            assert f"ssl.truststore.type=PEM\nssl.truststore.location={named}\n" in properties


def on_a_cluster(*, render: bool = False, secret: bool = False, text: bool = False) -> dict[str, Any]:
    """An external Kafka for a cluster, with the certificates given in one way or the other."""
    settings = CLUSTER_VARIANTS["phase3-render" if render else "phase3-external-kafka"]
    kubernetes, kafka = settings["kubernetes"], settings["kafka"]
    existing = {**kubernetes["existingSecrets"], "kafkaCa": "kafka-ca" if secret else None}
    existing = {key: name for key, name in existing.items() if name is not None}
    security = {**kafka["security"], **({"ca": CA} if text else {})}
    return {
        **settings,
        "kubernetes": {**kubernetes, "existingSecrets": existing},
        "kafka": {**kafka, "security": security},
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (on_a_cluster(secret=True, text=True), r"kafka\.security\.ca: .* remove one of the two"),
        (on_a_cluster(render=True, text=True), r"kafka\.security\.ca: .* must not hold Secrets"),
        (
            {**on_a_cluster(secret=True), "phase": 2},
            r"existingSecrets\.kafkaCa: 'kafka-ca': Secrets need Kubernetes, phase 3; phase 2 takes",
        ),
    ],
)
def test_certificates_are_given_in_one_way_that_there_is(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load(settings)


@pytest.mark.parametrize("given", [{"secret": True}, {"text": True}, {"render": True, "secret": True}])
def test_certificates_on_a_cluster(given: dict[str, bool]) -> None:
    """They are mounted by every program that speaks to Kafka, and KEDA knows them."""
    resources = run_program(on_a_cluster(**given)).resources
    texts = [str(unwrapped(one.inputs)) for one in resources]
    mounted = [text for text in texts if "secrets/kafka-ca.crt" in text and "volumes" in text]
    assert len(mounted) == 3
    authentications = [
        one for one in resources if one.type == "kubernetes:keda.sh/v1alpha1:TriggerAuthentication"
    ]
    assert [
        [target["parameter"] for target in one.inputs["spec"]["secretTargetRef"]] for one in authentications
    ] == [["password", "ca"]]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"sampling": {"maxTraces": 1}}, True),
        ({"sampling": {"maxTraces": 200}}, False),
        ({"sampling": {"maxTraces": 1, "mode": "none"}}, False),
        ({"sampling": {"maxTraces": 1_000}, "sizing": {"preset": "medium"}}, True),
        ({"sampling": {"decisionWait": "60s"}}, False),
    ],
)
def test_fewer_traces_than_wait_for_their_decision_are_told(settings: dict[str, Any], told: bool) -> None:
    warnings = Settings.load({"phase": 2, **settings}).warnings()
    found = [one for one in warnings if one.startswith("sampling.maxTraces: 1")]
    assert ["undecided at once" in one for one in found] == [True] * told


def crowded(settings: dict[str, Any]) -> list[str]:
    """Give what is said of spans that wait for decisions in the processors' memory."""
    warnings = Settings.load({"phase": 2, **settings}).warnings()
    return [one for one in warnings if "spans wait that long" in one]


@pytest.mark.parametrize(
    ("wait", "settings", "told"),
    [
        ("41s", {}, False),
        ("42s", {}, True),
        ("42s", {"sampling": {"decisionWait": "42s", "mode": "head"}}, False),
        ("42s", {"phase": 1}, False),
        ("60s", {"sizing": {"preset": "large", "processor": {"memory": "3GiB"}}}, False),
        ("60s", {"sizing": {"preset": "large", "processor": {"replicas": 4}}}, False),
        ("60s", {"sizing": {"preset": "medium"}}, False),
        ("10s", {"sizing": {"preset": "large", "processor": {"memory": "256MiB"}}}, True),
    ],
)
def test_more_undecided_spans_than_fit_into_half_of_the_memory_are_told(
    wait: str, settings: dict[str, Any], told: bool
) -> None:
    found = crowded({"sizing": {"preset": "large"}, "sampling": {"decisionWait": wait}, **settings})
    assert len(found) == told


def test_it_is_told_what_would_suffice() -> None:
    (told,) = crowded({"sizing": {"preset": "large"}, "sampling": {"decisionWait": "60s"}})
    assert told == (
        "sampling.decisionWait: 1m: at the declared rate 600,000 spans wait that long in each processor and "
        "take 1,464MiB; above half of its memory (2GiB) it may read more slowly than they come. Set "
        "sizing.processor.memory: 3GiB, more sizing.processor.replicas, or at most 41s here"
    )


@pytest.mark.parametrize("rate", [1, 1_000, 1_001, 10_000, 50_000, 50_001, 100_000, 150_001, 1_000_000])
def test_no_rate_by_itself_fills_the_memory_with_undecided_spans(rate: int) -> None:
    sizing = {"eventsPerSecond": rate, "allowAboveCeiling": True, "gateway": {"replicas": 16}}
    assert crowded({"sizing": sizing}) == []
