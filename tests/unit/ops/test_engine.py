"""Running the engine: its command lines, its output, its failures."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ops.environment import export_lines
from ops.errors import OpsError
from ops.inventory import BUCKET, MEMORY, VOLUME
from ops.neighbours import PROVIDER, refuse_neighbours
from ops.password import grafana_password
from ops.pulumi.engine import Pulumi
from ops.pulumi.hints import find_hint
from ops.pulumi.state import EngineState, prepare_state
from ops.session import Session
from tests.support.ops import checkout

URN = "urn:pulumi:dev::otel-stack::random:index/randomPassword:RandomPassword::grafana-admin-password"


def engine_that(folder: Path, script: str) -> Session:
    """A session whose ``pulumi`` is a shell script; its command lines are kept in ``log``."""
    program = folder / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$PWD: $*" >> "{folder}/log"\n{script}\n')
    program.chmod(0o755)
    stack = checkout(folder / "clone")
    state = prepare_state(stack, {"XDG_STATE_HOME": str(folder / "state")})
    added = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    return Session(stack=stack, state=state, pulumi=Pulumi(stack, state, added))


def log_of(folder: Path) -> str:
    return (folder / "log").read_text()


def test_up_is_the_plain_command_on_the_stack(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    session = engine_that(tmp_path, "echo deploying; exit 0")
    session.pulumi.run("up", "--yes", config=True)
    config_file = session.state.config_file
    expected = f"{tmp_path}/clone: up --yes --stack dev --non-interactive --config-file {config_file}\n"
    assert log_of(tmp_path) == expected
    assert "deploying" in capfd.readouterr().out


def test_engine_gets_its_state_by_environment(tmp_path: Path) -> None:
    session = engine_that(tmp_path, 'echo "$PULUMI_BACKEND_URL $PULUMI_CONFIG_PASSPHRASE_FILE"')
    home = tmp_path / "state" / "otel-stack"
    assert session.pulumi.answer("whoami").split() == [(home / "backend").as_uri(), str(home / "passphrase")]


def test_failure_is_explained(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    session = engine_that(tmp_path, "echo 'Bind for :4317 failed: port is already allocated' >&2; exit 255")
    with pytest.raises(OpsError, match="pulumi up: a port is taken") as caught:
        session.pulumi.run("up", "--yes")
    assert "doctor" in caught.value.advice
    assert "port is already allocated" in capfd.readouterr().out


def test_unknown_failure_keeps_the_engines_last_words(tmp_path: Path) -> None:
    session = engine_that(tmp_path, "echo 'error: something new'; echo 'Duration: 6s' >&2; exit 1")
    with pytest.raises(OpsError, match="error: something new"):
        session.pulumi.run("up")


def test_silent_failure_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="it said nothing"):
        engine_that(tmp_path, "exit 3").pulumi.run("up")


def test_killed_engine_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="pulumi up was ended by signal 9"):
        engine_that(tmp_path, "kill -9 $$").pulumi.run("up")


class Interrupted(io.StringIO):
    """A terminal at which somebody presses Ctrl-C when the first line appears."""

    def write(self, text: str) -> int:
        written = super().write(text)
        if text == "begun\n":
            raise KeyboardInterrupt
        return written


def test_interrupt_lets_the_engine_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Interrupted()
    monkeypatch.setattr(sys, "stdout", terminal)
    with pytest.raises(OpsError, match="pulumi up was interrupted") as caught:
        engine_that(tmp_path, "echo begun; echo finished").pulumi.run("up")
    assert caught.value.status == 130
    assert "finished" in terminal.getvalue()


class Ended(io.StringIO):
    """A terminal whose job is told to end when the first line appears."""

    def write(self, text: str) -> int:
        written = super().write(text)
        if text == "begun\n":
            sys.exit(143)
        return written


def test_being_told_to_end_interrupts_the_engine_and_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Ended()
    monkeypatch.setattr(sys, "stdout", terminal)
    # Not a shell: one that is started with interrupts ignored, as in the background, cannot trap them.
    engine = tmp_path / "engine.py"
    engine.write_text(
        "import signal, time\n"
        "def end(*_):\n"
        "    print('finished', flush=True)\n"
        "    raise SystemExit(1)\n"
        "signal.signal(signal.SIGINT, end)\n"
        "print('begun', flush=True)\n"
        "time.sleep(30)\n"
    )
    script = f"exec {sys.executable} {engine}"
    with pytest.raises(SystemExit) as caught:
        engine_that(tmp_path, script).pulumi.run("up")
    assert caught.value.code == 143
    assert "finished" in terminal.getvalue()


def test_a_lost_terminal_does_not_break_the_engine_off(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGHUP)
    ask = "import signal; print(signal.getsignal(signal.SIGHUP).name)"
    assert engine_that(tmp_path, f"exec {sys.executable} -c '{ask}'").pulumi.answer("up") == "SIG_IGN\n"
    assert signal.getsignal(signal.SIGHUP) == before


def test_missing_engine_is_told_in_words(tmp_path: Path) -> None:
    stack = checkout(tmp_path / "clone")
    state = EngineState(environment={}, config_file=None, home=None)
    with pytest.raises(OpsError, match="no pulumi on PATH"):
        Pulumi(stack, state, {"PATH": str(tmp_path)}).answer("version")


def test_new_stack_is_made_beside_the_configuration_copy(tmp_path: Path) -> None:
    session = engine_that(tmp_path, 'case "$*" in *"stack ls"*) echo "[]";; esac')
    session.pulumi.make()
    assert session.state.config_file is not None
    folder = session.state.config_file.parent
    assert f"-C {folder} stack init dev --no-select --non-interactive" in log_of(tmp_path)


@pytest.mark.parametrize("name", ["dev", "organization/otel-stack/dev"])
def test_existing_stack_is_not_made_again(tmp_path: Path, name: str) -> None:
    session = engine_that(tmp_path, f"""echo '[{{"name": "{name}"}}]'""")
    session.pulumi.make()
    assert "init" not in log_of(tmp_path)


def test_outputs_of_a_stack_that_is_not_up(tmp_path: Path) -> None:
    session = engine_that(tmp_path, "echo '[]'")
    with pytest.raises(OpsError, match="is not up") as caught:
        session.outputs()
    assert caught.value.advice == "run: make up STACK=dev"
    assert caught.value.status == 2


def test_outputs_of_another_contract_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="contract version 7"):
        engine_that(tmp_path, existing_stack('{"contract_version": "7"}')).outputs()


def existing_stack(answer: str) -> str:
    """A script that knows the stack, and has one answer to everything else."""
    return f"""case "$*" in *"stack ls"*) echo '[{{"name": "dev"}}]';; *) printf '%s' '{answer}';; esac"""


def neighbour_script(resources: Sequence[Mapping[str, object]]) -> str:
    """A script of a backend with a second stack."""
    exported = json.dumps({"deployment": {"resources": resources}})
    return f"""case "$*" in
        *"stack ls"*) echo '[{{"name": "dev"}}, {{"name": "organization/otel-stack/staging"}}]';;
        *"export --stack staging"*) printf '%s' '{exported}';;
        *) exit 1;;
    esac"""


def data_on(host: str) -> list[Mapping[str, object]]:
    """Resources of a stack whose data is on an engine."""
    volume = {"type": VOLUME, "urn": "urn::loki-data", "inputs": {"name": "loki-data"}}
    return [{"type": PROVIDER, "urn": "urn::docker", "inputs": {"host": host}}, volume]


def test_two_stacks_do_not_share_an_engine(tmp_path: Path) -> None:
    """They have the same names, and what one destroys would be the other's."""
    session = engine_that(tmp_path, neighbour_script(data_on("unix:///var/run/docker.sock")))
    with pytest.raises(
        OpsError, match=r"^the stack staging has its data on .*docker\.sock.* loki-data$"
    ) as caught:
        refuse_neighbours(session)
    assert "make destroy STACK=staging" in str(caught.value.advice)


@pytest.mark.parametrize("shared", [False, True])
def test_engines_of_their_own_are_fine(tmp_path: Path, *, shared: bool) -> None:
    """In a shared backend the same socket is one on another machine."""
    host = "unix:///var/run/docker.sock" if shared else "ssh://deploy@docker.example.com"
    session = engine_that(tmp_path, neighbour_script(data_on(host)))
    state = replace(session.state, home=None) if shared else session.state
    refuse_neighbours(replace(session, state=state))


def state_with(remembered: Mapping[str, str], *resources: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Resources of a stack that remembers values by name."""
    stashes = [
        {"type": MEMORY, "urn": f"urn::{name}", "inputs": {"input": value}, "outputs": {"output": value}}
        for name, value in remembered.items()
    ]
    return [*stashes, *resources]


INSIDE = "minio.storage.svc:9000"


def on_endpoint(endpoint: str) -> dict[str, object]:
    """Settings of a stack on an S3 service."""
    service = {"endpoint": endpoint, "credentialsSecret": "s3"}
    storage = {"provider": "s3", "bucketPrefix": "acme", "s3": service}
    return {
        "phase": 4,
        "kubernetes": {"kubeconfig": "kubeconfig.yaml", "context": "main"},
        "objectStorage": storage,
    }


S3 = on_endpoint("s3.example.com")
ON_AWS = {"provider": "aws", "bucketPrefix": "acme", "aws": {"region": "eu-west-1", "clusterName": "main"}}
THEIRS = {
    "object-storage-provider": "s3",
    "object-storage-endpoint": "s3.example.com",
    "kubernetes-context": "main",
    "bucket-logs": "acme-dev-logs",
}
MADE_ON_AWS = {"type": BUCKET, "urn": "urn::object-storage-logs", "inputs": {"bucket": "acme-dev-logs"}}


def with_buckets(folder: Path, settings: Mapping[str, object], others: list[Mapping[str, object]]) -> Session:
    """A session of a stack on Kubernetes, in whose backend a second one has these resources."""
    session = engine_that(folder, neighbour_script(others))
    config = {f"otel-stack:{key}": value for key, value in {"environment": "dev", **settings}.items()}
    stack = checkout(folder / "clone", stack=yaml.safe_dump({"config": config}))
    return Session(
        stack=stack, state=session.state, pulumi=Pulumi(stack, session.state, session.pulumi.added)
    )


@pytest.mark.parametrize(
    ("settings", "others", "service"),
    [
        (S3, state_with(THEIRS), "s3.example.com"),
        ({**S3, "objectStorage": ON_AWS}, state_with({}, MADE_ON_AWS), "aws"),
        ({**S3, "phase": 3, "objectStorage": ON_AWS}, state_with({}, MADE_ON_AWS), "aws"),
        (on_endpoint("s3.eu-west-1.amazonaws.com"), state_with({}, MADE_ON_AWS), "aws"),
        (on_endpoint(INSIDE), state_with({**THEIRS, "object-storage-endpoint": INSIDE}), INSIDE),
    ],
)
def test_two_stacks_do_not_share_buckets(
    tmp_path: Path, settings: Mapping[str, object], others: list[Mapping[str, object]], service: str
) -> None:
    """The compactor with the shorter retention would delete the other stack's data."""
    with pytest.raises(
        OpsError, match=rf"^the stack staging has its data at .* {service}, .*: acme-dev-logs; two stacks"
    ) as caught:
        refuse_neighbours(with_buckets(tmp_path, settings, others))
    assert "set another objectStorage.bucketPrefix" in str(caught.value.advice)
    assert "Pulumi.dev.yaml" in str(caught.value.advice)


@pytest.mark.parametrize(
    ("endpoint", "different"),
    [
        ("s3.example.com", {"bucket-logs": "other-dev-logs"}),
        ("s3.example.com", {"object-storage-endpoint": "s3.example.org"}),
        ("s3.example.com", {"object-storage-provider": "aws"}),
        (INSIDE, {"object-storage-endpoint": INSIDE, "kubernetes-context": "another"}),
    ],
)
def test_buckets_of_their_own_are_fine(tmp_path: Path, endpoint: str, different: Mapping[str, str]) -> None:
    """The same name inside two clusters is two services."""
    refuse_neighbours(with_buckets(tmp_path, on_endpoint(endpoint), state_with({**THEIRS, **different})))


EXTERNAL = {"mode": "external", "bootstrapServers": ["b-1.example.com:9092", "b-2.example.com:9092"]}
ALSO_THERE = {**EXTERNAL, "bootstrapServers": ["b-2.example.com:9092", "b-3.example.com:9092"]}
BUILT_IN: dict[str, object] = {}


@pytest.mark.parametrize("phase", [2, 3])
@pytest.mark.parametrize(
    ("theirs", "has_data", "refused"),
    [(ALSO_THERE, True, True), (ALSO_THERE, False, False), (BUILT_IN, True, False), (None, True, False)],
)
def test_two_stacks_do_not_share_a_kafka(
    tmp_path: Path, phase: int, theirs: Mapping[str, object] | None, has_data: bool, refused: bool
) -> None:
    """Their topics and groups have the same names. A file that is elsewhere tells nothing."""
    others = data_on("unix:///elsewhere.sock") if has_data else []
    session = with_buckets(
        tmp_path, {"phase": phase, "kubernetes": S3["kubernetes"], "kafka": EXTERNAL}, others
    )
    if theirs is not None:
        config = {"otel-stack:phase": 2, "otel-stack:kafka": theirs}
        (session.stack.root / "Pulumi.staging.yaml").write_text(yaml.safe_dump({"config": config}))
    with pytest.raises(OpsError, match=r"same Kafka, b-2\.example\.com:9092: ") if refused else nullcontext():
        refuse_neighbours(session)


def password_script(resources: str) -> str:
    return existing_stack(f'{{"deployment": {{"resources": [{resources}]}}}}')


@pytest.mark.parametrize(
    "result", [r'{"4dabf18193072939515e22adb298388d": "1b47", "plaintext": "\"p:w?\""}', '"p:w?"']
)
def test_password_is_taken_from_the_decrypted_state(tmp_path: Path, result: str) -> None:
    resource = f'{{"urn": "{URN}", "outputs": {{"result": {result}}}}}'
    session = engine_that(tmp_path, password_script(resource))
    assert grafana_password(session) == "p:w?"
    assert "stack export --show-secrets" in log_of(tmp_path)


@pytest.mark.parametrize("result", ["", '{"cipher": "x"}', '{"plaintext": "null"}'])
def test_password_that_is_not_there_is_told_in_words(tmp_path: Path, result: str) -> None:
    resource = result and f'{{"urn": "{URN}", "outputs": {{"result": {result}}}}}'
    with pytest.raises(OpsError, match="grafana-admin-password"):
        grafana_password(engine_that(tmp_path, password_script(resource)))


def test_the_engine_of_the_settings_is_used_whatever_the_shell_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugin itself lets a context come before the address that it is given."""
    for name in ("DOCKER_CONTEXT", "DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"):
        monkeypatch.setenv(name, "other")
    found = engine_that(tmp_path, "true").pulumi.environment()
    assert not [name for name in found if name.startswith("DOCKER_")]


def test_environment_lines_hold_no_secret(tmp_path: Path) -> None:
    session = engine_that(tmp_path, "true")
    home = session.state.home
    assert home is not None
    text = "\n".join(export_lines(session))
    assert (home / "passphrase").read_text() not in text
    assert f"export PULUMI_CONFIG_PASSPHRASE_FILE={home / 'passphrase'}" in text
    assert "export PULUMI_STACK=dev" in text
    assert "unset DOCKER_CONTEXT DOCKER_HOST" in text
    assert f"export OTEL_STACK_CONFIG_FILE={session.state.config_file}" in text


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("1 setting is wrong:\n  phase: 9: choose 1, 2, 3 or 4", "settings are not accepted"),
        ("Bind for 127.0.0.1:3000 failed: port is already allocated", "port is taken"),
        ("listen tcp4 127.0.0.1:3000: bind: address already in use", "port is taken"),
        ('The container name "/loki" is already in use by container', "container of that name"),
        ("network with name observability already exists", "a network of that name"),
        ("toomanyrequests: You have reached your pull rate limit", "limits your pulls"),
        ("Error response from daemon: pull access denied for x", "image cannot be pulled"),
        ("manifest for grafana/loki:9 not found: manifest unknown", "image cannot be pulled"),
        ("Unable to read Docker image into resource: unable to pull image", "image cannot be pulled"),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", "does not answer"),
        ("write /var/lib/docker/x: no space left on device", "disk is full"),
        ('unable to delete resource "x" as it is currently marked for protection', "what is protected"),
        ("error: incorrect passphrase", "passphrase"),
        ("passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "passphrase"),
        ("error: the stack is currently locked by 1 lock(s)", "holds the stack"),
        ("error waiting for container to become healthy: timeout", "did not become healthy"),
        ("could not find an available, non-overlapping IPv4 address pool", "no free range"),
        ("fork/exec: cannot allocate memory", "too little memory"),
        ("error: the configured Kubernetes cluster is unreachable: refused", "API server does not answer"),
        ("container loki waits: ImagePullBackOff: pull access denied", "nodes cannot get an image"),
        ("0/1 nodes are available: 1 Insufficient cpu.", "no node has room"),
        ("0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules", "fewer nodes"),
        ("1 node(s) didn't match pod topology spread constraints (missing required label)", "no zone"),
        ("the Kubernetes API server reported that it failed to fully initialize or become live", "in time"),
        ("StatefulSet kafka is not ready: 0 of 1 pods are ready\n  - pod kafka-1: Running", "pods did not"),
        ("(object-storage-logs):\n  error: creating Bucket: BucketAlreadyExists: no", "somebody else"),
        ("(object-storage-logs):\n  error: creating Bucket: BucketAlreadyOwnedByYou: no", "does not know"),
        ('error: statefulsets.apps "kafka" already exists', "the engine does not know it"),
        ('Apply failed with 1 conflict: conflict with "kubectl" using apps/v1', "somebody else has changed"),
    ],
)
def test_hints_know_what_people_meet(output: str, meaning: str) -> None:
    hint = find_hint(output, "staging")
    assert hint is not None
    assert meaning in hint.meaning


def test_hint_names_what_is_in_the_way() -> None:
    conflict = 'Conflict. The container name "/{name}" is already in use by container "1".\n'
    hint = find_hint("".join(conflict.format(name=name) for name in ("loki", "jaeger", "loki")), "dev")
    assert hint is not None
    assert "docker rm -fv loki jaeger," in hint.advice


def test_no_hint_for_ordinary_output() -> None:
    assert find_hint("Resources:\n    + 31 created\nDuration: 42s", "dev") is None


def test_hint_names_the_stack() -> None:
    hint = find_hint("error: the stack is currently locked by 1 lock(s)", "staging")
    assert hint is not None
    assert "ops env --stack staging" in hint.advice
