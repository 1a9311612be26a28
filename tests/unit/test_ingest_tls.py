"""OTLP with TLS in phases 1 and 2: what is published, what is refused, what is worth a warning."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from components.settings import Settings, SettingsError
from components.settings.expiry import expiring
from components.values.certificates import first_end
from components.values.secret_text import ENCRYPTED
from ops.docker.certificate import certificate_readings
from ops.outputs import StackOutputs
from ops.sites.docker import DockerSite
from tests.lab.cluster import pki
from tests.support.encrypted import ADDRESS, encrypted, issued
from tests.support.ops import checkout
from tests.support.program import run_program
from tests.support.variants import VARIANTS

NAME = "node.example"
SETTINGS = encrypted(NAME)
NAMED = {"docker": {"advertisedHost": NAME}}
TLS = SETTINGS["ingest"]["tls"]
WEAK = (
    rsa.generate_private_key(65537, 1024),  # noqa: S505 - to be refused
    ec.generate_private_key(ec.SECP256K1()),
)


def published(variant: str, container: str) -> set[tuple[str, int, int]]:
    ports = run_program(VARIANTS[variant]).container(container).inputs["ports"]
    return {(port["ip"], int(port["external"]), int(port["internal"])) for port in ports}


@pytest.mark.parametrize(
    ("variant", "container"), [("phase1-tls", "otel-collector"), ("phase2-tls", "haproxy")]
)
def test_the_usual_ports_are_encrypted_for_others_and_plain_on_loopback(variant: str, container: str) -> None:
    assert published(variant, container) >= {
        (ADDRESS, 4317, 4327),
        (ADDRESS, 4318, 4328),
        ("127.0.0.1", 4317, 4317),
        ("127.0.0.1", 4318, 4318),
    }
    outputs = run_program(VARIANTS[variant]).outputs
    assert outputs["otlp_grpc_endpoint"] == f"https://{NAME}:4317"
    assert outputs["otlp_http_endpoint"] == f"https://{NAME}:4318"
    assert f"OTLP_ENDPOINT=https://{NAME}:4317" in outputs["sdk_environment"]


def test_operators_on_the_host_need_no_certificate(tmp_path: Path) -> None:
    config = {f"otel-stack:{key}": value for key, value in {**SETTINGS, **NAMED}.items()}
    others = {"contract_version": "1", "grafana_url": "http://g"}
    outputs = StackOutputs({**others, "otlp_grpc_endpoint": f"https://{NAME}:4317"})
    with DockerSite(checkout(tmp_path, stack=yaml.safe_dump({"config": config}))).reached(outputs) as reached:
        assert reached.values == {
            **others,
            "otlp_grpc_endpoint": "http://127.0.0.1:4317",
            "otlp_http_endpoint": "http://127.0.0.1:4318",
        }


def test_what_only_this_machine_reaches_has_no_name() -> None:
    """The host's name leads to its other addresses, where neither stores nor Grafana listen."""
    outputs = run_program(VARIANTS["phase1-tls"]).outputs
    assert outputs["metrics_query_url"] == "http://127.0.0.1:9090"
    assert outputs["grafana_url"] == "http://127.0.0.1:3000"


@contextmanager
def served(server: pki.Signed, folder: Path) -> Iterator[int]:
    """Agree on TLS with whoever connects, until the block ends; give the port."""
    both = folder / "both.pem"
    both.write_text(server.certificate + server.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    with (
        socket.create_server(("127.0.0.1", 0)) as plain,
        context.wrap_socket(plain, server_side=True) as door,
    ):

        def agree() -> None:
            with suppress(OSError):
                while True:
                    door.accept()[0].close()

        threading.Thread(target=agree, daemon=True).start()
        yield int(door.getsockname()[1])
        door.shutdown(socket.SHUT_RDWR)


def test_health_tells_what_is_served(tmp_path: Path) -> None:
    own, other = issued(NAME), issued(NAME)

    def read(server: pki.Signed, port: int) -> list[tuple[str, str]]:
        made = encrypted(NAME, address="127.0.0.1", server=server, grpcPort=port, httpPort=4328)
        return [(one.status, one.found) for one in certificate_readings(Settings.load(made))]

    with served(own, tmp_path) as port:
        (until, same), (_, another) = read(own, port), read(other, port)
        assert until[0] == "healthy"
        assert until[1].startswith("until ")
        assert same == ("healthy", "served as in the stack's file")
        assert another == ("degraded", "another certificate is served")
    _, (status, found) = read(own, port)
    assert status == "degraded"
    assert found.startswith("no TLS: ")
    assert list(certificate_readings(Settings.load({}))) == []


def test_a_collector_accepts_with_tls_what_it_accepts_without() -> None:
    files = {
        upload["file"].rpartition("/")[2]: upload["content"]
        for found in run_program({**encrypted(NAME, clients=True), **NAMED}).resources
        if found.name.startswith("otel-collector-config-")
        for upload in found.plain("uploads") or ()
    }
    configuration = yaml.safe_load(files["config.yaml"])
    plain, encrypting = (configuration["receivers"][name]["protocols"] for name in ("otlp", "otlp/tls"))
    for protocol, port in (("grpc", 4327), ("http", 4328)):
        tls = encrypting[protocol].pop("tls")
        assert {key: path.rpartition("/")[2] for key, path in tls.items()} == {
            "cert_file": "otlp.pem",
            "key_file": "otlp.pem.key",
            "client_ca_file": "otlp-clients.pem",
        }
        assert set(files) >= {path.rpartition("/")[2] for path in tls.values()}
        assert encrypting[protocol].pop("endpoint") == f"0.0.0.0:{port}"
        assert encrypting[protocol] == {
            key: value for key, value in plain[protocol].items() if key != "endpoint"
        }
    for pipeline in configuration["service"]["pipelines"].values():
        assert ("otlp" in pipeline["receivers"]) == ("otlp/tls" in pipeline["receivers"])


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> str:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"ingest": SETTINGS["ingest"]},
            r"ingestTlsKey: not set: ingest\.tls needs it\. .*docs/security\.md",
        ),
        ({**SETTINGS, "ingestTlsKey": "hunter2"}, r"ingestTlsKey: '\(secret\)': not a private key in PEM"),
        (
            {**SETTINGS, "ingestTlsKey": pem(ec.generate_private_key(ec.SECP256R1()), b"hunter2")},
            r"ingestTlsKey: '\(secret\)': not .* without a password",
        ),
        (
            {**SETTINGS, "ingestTlsKey": issued(NAME).key},
            rf"ingest\.tls\.certificate: 'CN={NAME}': the key in ingestTlsKey is not this certificate's",
        ),
        (
            {"ingest": {"tls": {**TLS, "certificate": TLS["certificate"].replace("M", "N", 1)}}},
            r"ingest\.tls: '\(certificates\)': not whole: ",
        ),
        (
            {**SETTINGS, "ingest": {"tls": {**TLS, "bindAddress": "127.0.0.1"}}},
            r"ingest\.tls\.grpcPort: 4317: ingest\.grpcPort uses this port already",
        ),
        (
            {**SETTINGS, "ingest": {"tls": {**TLS, "bindAddress": "0.0.0.0"}}},
            r"ingest\.tls\.httpPort: 4318: ingest\.httpPort uses this port already",
        ),
        (
            encrypted(NAME, clients=TLS["certificate"]),
            rf"ingest\.tls\.clientCa: 'CN={NAME}': signed by another CA, .* up to the root",
        ),
        *(
            ({**SETTINGS, "ingestTlsKey": pem(weak)}, r"ingestTlsKey: '\(secret\)': neither RSA of 2048 bits")
            for weak in WEAK
        ),
        ({"ingest": {"tls": {"bindAddress": ADDRESS}}}, r"ingest\.tls\.certificate: not set: required where"),
    ],
)
def test_what_could_not_be_served_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        Settings.load({**settings, **NAMED})
    assert "hunter2" not in str(refused.value)
    assert "PRIVATE KEY-----\n" not in str(refused.value)


def test_a_key_that_only_the_engine_can_read_is_taken() -> None:
    assert Settings.load({**SETTINGS, **NAMED, "ingestTlsKey": ENCRYPTED}).warnings() == []


def test_a_key_alone_is_told_and_taken() -> None:
    """It is set first: with the section in the file and no key, no command would take the file."""
    assert Settings.load({"ingestTlsKey": ENCRYPTED}).warnings() == [
        "ingestTlsKey: set: ingest.tls is not set, so nothing uses it"
    ]


def test_ports_of_its_own_may_be_on_the_same_address() -> None:
    ports = {"bindAddress": "127.0.0.1", "grpcPort": 4327, "httpPort": 4328}
    Settings.load({**SETTINGS, "ingest": {"tls": {**TLS, **ports}}})


@pytest.mark.parametrize(
    ("left", "said"),
    [(timedelta(days=22), None), (timedelta(days=20), "expires then"), (timedelta(hours=-1), "expired then")],
)
@pytest.mark.parametrize("key", ["certificate", "clientCa"])
def test_the_first_end_of_a_certificate_is_told_in_time(key: str, left: timedelta, said: str | None) -> None:
    with mock.patch.object(pki, "_LIFETIME", timedelta(days=900)):
        longer = issued(NAME)
    shorter = issued(NAME)
    server, client = (shorter, longer) if key == "certificate" else (longer, shorter)
    tls = Settings.load({**encrypted(NAME, server=server, clients=client.authority), **NAMED}).ingest.tls
    assert tls is not None
    first = {"certificate": tls.certificate, "clientCa": tls.client_ca or ""}[key]
    problem = expiring(tls, first_end(first) - left)
    assert (problem and problem.message.partition(":")[0]) == said
    if problem is not None:
        assert problem.key == f"ingest.tls.{key}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", str(problem.value))


def test_plain_ports_for_others_are_told() -> None:
    ingest = {"bindAddress": "192.0.2.11", **SETTINGS["ingest"]}
    (warning,) = Settings.load({**SETTINGS, **NAMED, "ingest": ingest}).warnings()
    assert warning.startswith("ingest.bindAddress: 192.0.2.11: OTLP is open there without TLS")


@pytest.mark.parametrize(
    ("host", "certified", "fits"),
    [
        (NAME, NAME, True),
        ("otel.example", NAME, False),
        ("otel.example.com", "*.example.com", True),
        ("a.otel.example.com", "*.example.com", False),
        (None, ADDRESS, True),
        (None, NAME, False),
    ],
)
def test_a_certificate_for_another_name_is_told(host: str | None, certified: str, *, fits: bool) -> None:
    docker = {} if host is None else {"docker": {"advertisedHost": host}}
    warnings = Settings.load({**encrypted(certified), **docker}).warnings()
    assert (
        warnings == []
        if fits
        else re.match(
            rf"ingest\.tls\.certificate: {re.escape(certified)}: clients that use {host or ADDRESS}",
            warnings[0],
        )
    )


def test_a_key_in_clear_is_told() -> None:
    with mock.patch.object(pulumi.log, "warn") as warn:
        run_program({**SETTINGS, **NAMED})
    told = [str(call.args[0]) for call in warn.call_args_list]
    assert told == [
        "ingestTlsKey is in the stack's file in clear; pulumi config set --secret otel-stack:ingestTlsKey"
    ]
