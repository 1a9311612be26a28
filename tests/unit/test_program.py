"""Invariants over everything that the program registers, and the files it renders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.buckets.names import PURPOSES
from components.composition.outputs import Outputs
from components.images import CATALOGUE
from components.sizing import GRAFANA_SHARE
from components.workload import GO_SHARE
from tests.support.golden import GOLDEN, matches_golden
from tests.support.made import requests
from tests.support.program import (
    CONTAINER,
    NETWORK,
    ROOT,
    VOLUME,
    Registered,
    Result,
    is_secret,
    run_program,
    unwrapped,
)
from tests.support.variants import VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> tuple[str, Result]:
    return request.param, run_program(VARIANTS[request.param])


@pytest.fixture(scope="module")
def default() -> Result:
    return run_program()


def started(result: Result) -> list[Registered]:
    return [container for container in result.of(CONTAINER) if container.inputs.get("start", True)]


def stable(name: str) -> str:
    return re.sub(r"-config-[0-9a-f]{8}$", "-config-HASH", name)


def test_every_container_is_confined(variant: tuple[str, Result]) -> None:
    containers = variant[1].of(CONTAINER)
    assert containers
    for container in containers:
        inputs = container.inputs
        assert inputs["memory"] >= 16, container.name
        assert inputs["memorySwap"] == inputs["memory"], container.name
        assert inputs["logDriver"] == "json-file", container.name
        assert inputs["logOpts"] == {"max-size": "10m", "max-file": "3"}, container.name
        assert inputs["capabilities"] == {"drops": ["ALL"]}, container.name
        assert inputs["securityOpts"] == ["no-new-privileges:true"], container.name
        assert re.fullmatch(r"[1-9]\d*:\d+", inputs["user"]), f"{container.name} runs as {inputs['user']}"
        assert inputs["image"].startswith("sha256:"), container.name
        assert inputs["networkMode"] == "bridge", container.name
        assert not inputs.get("privileged"), container.name


def test_everything_that_runs_can_be_trusted_to_start(variant: tuple[str, Result]) -> None:
    for container in started(variant[1]):
        inputs = container.inputs
        assert inputs["readOnly"] is True, container.name
        assert inputs["restart"] == "unless-stopped", container.name
        assert inputs["networksAdvanced"][0]["name"] == "observability", container.name
        has_own_check = "healthcheck" in inputs and inputs["wait"] is True
        has_probe = any(other.name == f"{container.name}-ready" for other in started(variant[1]))
        assert has_own_check != has_probe, f"{container.name}: readiness must be proved exactly once"


def test_go_programs_know_their_limit(variant: tuple[str, Result]) -> None:
    for container in started(variant[1]):
        inputs = container.inputs
        if container.name.endswith("-ready"):
            continue
        share = 0.75 if re.fullmatch(r"kafka-\d+", container.name) else 0.25
        assert inputs["memoryReservation"] == int(inputs["memory"] * share), container.name
        assert inputs["stopTimeout"] >= 30, container.name
        assert inputs["destroyGraceSeconds"] == inputs["stopTimeout"], container.name
        if not container.name.startswith(("kafka", "haproxy")):
            share = GRAFANA_SHARE if container.name == "grafana" else GO_SHARE
            assert f"GOMEMLIMIT={int(inputs['memory'] * share)}MiB" in inputs["envs"], container.name


def test_what_never_starts_has_no_network_port_or_command(default: Result) -> None:
    for container in default.of(CONTAINER):
        if container not in started(default):
            assert container.inputs["mustRun"] is False
            assert not {"ports", "networksAdvanced", "command", "entrypoints"}.intersection(container.inputs)


@pytest.mark.parametrize("phase", [1, 2])
def test_every_published_port_is_on_loopback_by_default(phase: int) -> None:
    addresses = {
        port["ip"]
        for container in run_program({"phase": phase}).of(CONTAINER)
        for port in container.inputs.get("ports", [])
    }
    assert addresses == {"127.0.0.1"}


def test_nothing_is_published_beyond_loopback_by_default(default: Result) -> None:
    published = {
        (container.name, int(port["external"]))
        for container in default.of(CONTAINER)
        for port in container.inputs.get("ports", [])
    }
    assert published == {
        ("otel-collector", 4317),
        ("otel-collector", 4318),
        ("jaeger", 16686),
        ("prometheus", 9090),
        ("loki", 3100),
        ("grafana", 3000),
    }
    ports = [port for container in default.of(CONTAINER) for port in container.inputs.get("ports", [])]
    assert {port["ip"] for port in ports} == {"127.0.0.1"}


def test_images_are_pinned(variant: tuple[str, Result]) -> None:
    names = [image.inputs["name"] for image in variant[1].of("docker:index/remoteImage:RemoteImage")]
    assert 5 <= len(names) <= len(CATALOGUE)
    for name in names:
        assert re.search(r":v?\d+\.\d+\.\d+(-alpine)?(@sha256:[0-9a-f]{64})?$", name), name


def test_a_mirror_redirects_every_image_but_the_overridden() -> None:
    result = run_program(VARIANTS["phase1-everything-set"])
    names = [image.inputs["name"] for image in result.of("docker:index/remoteImage:RemoteImage")]
    assert "other/loki:3.7.7" in names
    assert [name for name in names if not name.startswith("mirror.example:5000/")] == ["other/loki:3.7.7"]


def test_secrets_stay_wrapped_and_out_of_sight(variant: tuple[str, Result]) -> None:
    result = variant[1]
    passwords = {
        "generated-grafana-admin-password",
        "generated-grafana-secret-key",
        "given-kafka-password",
        "-----BEGIN PRIVATE KEY-----",
    }
    carriers = []
    for resource in result.resources:
        for key, value in resource.inputs.items():
            if any(password in str(unwrapped(value)) for password in passwords):
                assert is_secret(value), f"{resource.name}.{key} holds a secret in clear"
                carriers.append((stable(resource.name), key))
    assert {key for _, key in carriers} == {"uploads"}
    with_login = "kafkaPassword" in VARIANTS[variant[0]]
    kafka = {"otel-gateway", "otel-processor", "kafka-topics"} if with_login else set()
    tls = {"phase1-tls": {"otel-collector"}, "phase2-tls": {"haproxy"}}.get(variant[0], set())
    assert {name for name, _ in carriers} == {
        f"{program}-config-HASH" for program in {"grafana", *kafka, *tls}
    }
    assert not any(password in str(result.outputs) for password in passwords)


def test_secret_files_can_be_read_by_the_program_and_written_by_nobody(default: Result) -> None:
    """With an owner engines before 28 refuse them: they look the container's user up on their own machine."""
    config = next(found for found in default.of(CONTAINER) if found.name.startswith("grafana-config-"))
    secrets = [upload for upload in config.plain("uploads") if "/secrets/" in upload["file"]]
    assert [upload["permissions"] for upload in secrets] == ["0444"] * 2
    assert not any(key in upload for upload in secrets for key in ("owner", "group"))


@pytest.mark.parametrize(
    ("cores", "written"), [(0.5, "0.5"), (1, "1.0"), (2.25, "2.25"), (12, "12.0"), (10, "10.")]
)
def test_cores_are_written_as_the_provider_reads_them_back(cores: float, written: str) -> None:
    """Any other form would replace the container at each update."""
    found = run_program({"phase": 1, "sizing": {"collector": {"cpus": cores}}})
    assert found.container("otel-collector").inputs["cpus"] == written


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_container_has_an_empty_command(variant: str) -> None:
    """The provider would compare it with the image's own, and replace the container at each update."""
    found = run_program(VARIANTS[variant])
    assert not [one.name for one in found.of(CONTAINER) if one.inputs.get("command", [""]) == []]


def test_volumes_are_writable_by_the_images_own_user(default: Result) -> None:
    """Each is first mounted where its owner comes from: its own image, or a container that never runs."""
    owners = {"otel-storage": "/loki", "jaeger-data": "/loki"}
    for volume, directory in owners.items():
        mounted = default.container(f"{volume}-owner").inputs["volumes"]
        assert mounted == [{"volumeName": volume, "containerPath": directory}]
    for name, directory in [
        ("prometheus", "/prometheus"),
        ("loki", "/loki"),
        ("grafana", "/var/lib/grafana"),
    ]:
        assert directory in [mount["containerPath"] for mount in default.container(name).inputs["volumes"]]


def test_one_network(variant: tuple[str, Result]) -> None:
    assert [network.inputs["name"] for network in variant[1].of(NETWORK)] == ["observability"]


def test_names_are_stable(variant: tuple[str, Result], request: pytest.FixtureRequest) -> None:
    """Another name or parent deletes and recreates it on every running stack: aliases first."""
    name, result = variant
    names = [stable(place) for place in result.places()]
    update = bool(request.config.getoption("--update-golden"))
    matches_golden(GOLDEN / name / "names.txt", "\n".join(names) + "\n", update)


def test_rendered_files(variant: tuple[str, Result], request: pytest.FixtureRequest) -> None:
    name, result = variant
    update = bool(request.config.getoption("--update-golden"))
    for container in result.of(CONTAINER):
        for upload in container.plain("uploads") or []:
            path = Path(upload["file"])
            if path.suffix in (".yaml", ".properties") and "rules" not in path.parts:
                program = stable(container.name).removesuffix("-config-HASH")
                matches_golden(GOLDEN / name / f"{program}-{path.name}", upload["content"], update)


def test_same_settings_give_the_same_program() -> None:
    first, second = run_program(), run_program()
    key = lambda resource: (resource.type, resource.name)  # noqa: E731
    assert sorted(first.resources, key=key) == sorted(second.resources, key=key)


def test_outputs_are_the_documented_contract(variant: tuple[str, Result]) -> None:
    outputs = variant[1].outputs
    documented = re.findall(
        r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/outputs.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {name: type(value).__name__ for name, value in outputs.items()} == {
        name: {"string": "str", "integer": "int"}[kind] for name, kind in documented
    }
    assert set(outputs) == set(Outputs.__dataclass_fields__)


def test_outputs_name_the_advertised_host() -> None:
    outputs = run_program(VARIANTS["phase1-everything-set"]).outputs
    assert outputs["otlp_grpc_endpoint"] == "http://node.example:14317"
    assert outputs["grafana_url"] == "https://grafana.example.com"
    assert not any("0.0.0.0" in str(value) for value in outputs.values())


def test_only_the_changed_program_is_touched() -> None:
    """One collector setting changes the collector's configuration and nothing else."""

    def everything(result: Result) -> dict[str, object]:
        return {f"{found.type} {found.name}": found.inputs for found in result.resources}

    before = everything(run_program())
    after = everything(run_program({"ingest": {"maxConcurrentStreams": 101}}))
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert {stable(key).split()[1] for key in changed} == {"otel-collector", "otel-collector-config-HASH"}
    assert all(key.split()[0] in (CONTAINER, VOLUME) for key in changed)


def test_a_wrong_setting_stops_before_any_resource() -> None:
    with pytest.raises(pulumi.RunError, match="did you mean environment"):
        run_program({"enviroment": "x"})


def test_phase_two_keeps_what_phase_one_stored() -> None:
    """Every volume of phase 1 is there in phase 2, mounted by the same program at the same place."""

    def mounts(result: Result) -> set[tuple[str, str, str]]:
        return {
            (container.name, mount["volumeName"], mount["containerPath"])
            for container in started(result)
            for mount in container.inputs.get("volumes", [])
            if not mount.get("readOnly")
        }

    assert mounts(run_program({"phase": 1})) < mounts(run_program({"phase": 2}))


def test_phase_two_keeps_the_otlp_address() -> None:
    first, second = (run_program({"phase": phase}).outputs for phase in (1, 2))
    assert {key for key in first if first[key] != second[key]} == {"phase"}


@pytest.mark.parametrize(
    ("later", "before"),
    [
        ("kafka-2", "kafka-1"),
        ("kafka-3", "kafka-2"),
        ("kafka-topics", "kafka-3"),
        ("otel-gateway-2", "otel-gateway-1-ready"),
        ("otel-processor-2", "otel-processor-1-ready"),
    ],
)
def test_replicas_are_started_and_replaced_one_after_the_other(later: str, before: str) -> None:
    with requests() as registered:
        run_program(VARIANTS["phase2-medium"])
    (found,) = (one for one in registered if one.type == CONTAINER and one.name == later)
    assert before in {urn.rpartition("::")[2] for urn in found.dependencies}
    assert not found.replace_with


def test_a_new_version_has_a_configuration_of_its_own() -> None:
    """With the old one's name it could only be made once that is gone, and all replicas with it."""
    first = {name for name in names_of(run_program({"phase": 2})) if "-config-" in name}
    tag = {"images": {"overrides": {"collector": "otel/opentelemetry-collector-contrib:0.156.0"}}}
    second = {name for name in names_of(run_program({"phase": 2, **tag})) if "-config-" in name}
    changed = {name.partition("-config-")[0] for name in first - second}
    assert changed == {"otel-collector", "otel-gateway", "otel-processor"}
    mirror = run_program({"phase": 2, "images": {"registry": "mirror.example:5000"}})
    assert {name for name in names_of(mirror) if "-config-" in name} == first


def test_a_hash_of_secret_files_replaces_their_containers_and_is_a_secret() -> None:
    """Grafana's password; the collector has no secret file."""
    result = run_program()
    labels = result.container("grafana").inputs["labels"]
    assert is_secret(labels)
    (label,) = unwrapped(labels)
    assert label["label"] == "otel-stack.secrets"
    assert len(unwrapped(label["value"])) == 16
    assert "labels" not in result.container("otel-collector").inputs


def names_of(result: Result) -> set[str]:
    return {one.name for one in result.of(CONTAINER)}


def test_the_last_broker_must_be_in_sync_and_others_only_while_one_serves() -> None:
    for variant, brokers in (("phase2-small", 1), ("phase2-medium", 3)):
        result = run_program(VARIANTS[variant])
        for number in range(1, brokers + 1):
            check = " ".join(result.container(f"kafka-{number}").inputs["healthcheck"]["tests"])
            assert "bash /mnt/shared/config/in-sync.sh" in check
            assert ("|| bash /mnt/shared/config/first-up.sh" in check) is (number < brokers)


def test_three_brokers_acknowledge_on_two() -> None:
    result = run_program(VARIANTS["phase2-medium"])
    for number in (1, 2, 3):
        environment = result.container(f"kafka-{number}").inputs["envs"]
        assert "KAFKA_MIN_INSYNC_REPLICAS=2" in environment
        assert "KAFKA_DEFAULT_REPLICATION_FACTOR=3" in environment
        assert f"KAFKA_NODE_ID={number}" in environment
    topics = next(
        line for line in result.container("kafka-topics").inputs["envs"] if line.startswith("TOPICS=")
    )
    assert topics.count("min.insync.replicas=2") == 5
    assert [line.split()[:2] for line in topics.removeprefix("TOPICS=").splitlines()] == [
        ["otlp-traces", "6"],
        ["otlp-metrics", "6"],
        ["otlp-logs", "6"],
        ["otlp-traces-sampled", "6"],
        ["otlp-dead-letters", "1"],
    ]


def test_counts_of_copies_go_to_the_metrics_store_itself() -> None:
    environment = run_program(VARIANTS["phase2-medium"]).container("kafka-topics").inputs["envs"]
    assert "METRICS=prometheus:9090/api/v1/otlp/v1/metrics" in environment
    assert not any(line.startswith("HEADER=") for line in environment)


@pytest.mark.parametrize(
    ("stashed", "kafka", "message"),
    [
        ("kafka-traces-partitions", {"partitions": 12}, r"kafka\.partitions: 12: .* made with 6.* Set .*: 6"),
        ("kafka-brokers", {"brokers": 3}, r"kafka\.brokers: 3: this stack was made with 1\..* Set .*: 1"),
    ],
)
def test_what_topics_were_made_with_stays(stashed: str, kafka: dict[str, int], message: str) -> None:
    first = {"kafka-traces-partitions": 6, "kafka-brokers": 1}[stashed]
    with pytest.raises(pulumi.RunError, match=message):
        run_program({"phase": 2, "kafka": kafka}, remembered={stashed: first})


CLUSTER = {"kubeconfig": "kubeconfig.yaml", "context": "main"}
BUCKETS = {
    "provider": "s3",
    "bucketPrefix": "acme",
    "s3": {"endpoint": "minio.minio.svc:9000", "credentialsSecret": "s3-credentials", "tls": False},
}
ON_S3 = {"phase": 4, "kubernetes": CLUSTER, "objectStorage": BUCKETS}


@pytest.mark.parametrize(
    ("key", "stashed", "first", "settings"),
    [
        ("phase", "platform", r"1 or 2 \(Docker\)", {"phase": 3, "kubernetes": CLUSTER}),
        ("phase", "platform", r"3 or 4 \(Kubernetes\)", {"phase": 2}),
        ("docker.host", "docker-host", "ssh://deploy@example.com", {"phase": 1}),
        ("kafka.mode", "kafka-mode", "external", {"phase": 2}),
        (
            "kafka.mode",
            "kafka-mode",
            "builtin",
            {"phase": 3, "kubernetes": CLUSTER, "kafka": {"mode": "strimzi"}},
        ),
        ("kubernetes.context", "kubernetes-context", "former", {"phase": 3, "kubernetes": CLUSTER}),
        ("kubernetes.namespace", "kubernetes-namespace", "telemetry", {"phase": 3, "kubernetes": CLUSTER}),
        ("postgres.mode", "postgres-mode", "external", ON_S3),
        ("postgres.database", "postgres-database", "dashboards", ON_S3),
        ("postgres.username", "postgres-username", "admin", ON_S3),
        ("objectStorage.provider", "object-storage-provider", "aws", ON_S3),
        ("objectStorage.s3.endpoint", "object-storage-endpoint", "s3.example.com", ON_S3),
        (
            "objectStorage.aws.region",
            "object-storage-region",
            "eu-west-9",
            OBJECT_VARIANTS["phase4-aws"],
        ),
        *(
            (f"objectStorage.buckets.{purpose}", f"bucket-{purpose}", f"former-{purpose}", settings)
            for purpose in PURPOSES
            for settings in ({**ON_S3, "environment": "test"}, OBJECT_VARIANTS["phase4-aws"])
        ),
    ],
)
def test_data_is_not_left_behind(key: str, stashed: str, first: str, settings: dict[str, Any]) -> None:
    with pytest.raises(
        pulumi.RunError, match=rf"^{key}: .* was made with {first}\. .* Set {key}: {first}\.$"
    ):
        run_program(settings, remembered={stashed: first.replace("\\", "")})


def test_each_phase_remembers_only_where_its_own_data_is() -> None:
    on_docker = {"platform", "docker-host"}
    in_phase3 = {"platform", "kafka-mode", "kubernetes-context", "kubernetes-namespace"}
    database = {"postgres-database", "postgres-mode", "postgres-username"}
    buckets = {
        "object-storage-provider",
        "object-storage-endpoint",
        *(f"bucket-{purpose}" for purpose in PURPOSES),
    }
    topics = {"kafka-brokers", "kafka-traces-partitions"}
    for phase, expected in {
        1: on_docker,
        2: on_docker | {"kafka-mode"} | topics,
        3: in_phase3 | topics,
        4: in_phase3 | topics | database | buckets,
    }.items():
        found = run_program({**ON_S3, "phase": phase}).of("pulumi:index:Stash")
        assert {one.name for one in found} == expected
