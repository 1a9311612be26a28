"""Buckets behind TLS: stores and uploader verify a certificate that a private authority has signed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from tests.lab.cluster.pki import Identity, Signed, signed
from tests.lab.debian import AWS_CLI
from tests.stores.conftest import SMALL, make_buckets
from tests.stores.making import ENDPOINT, LOKI, MIMIR, TEMPO, Kind, StoreMaker
from tests.stores.otlp import counter, logs, trace
from tests.stores.replicas import TENANT, TLS_HOST, ObjectService, Running, Store, object_service, start
from tests.stores.rooted import Root, root_with
from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.waiting import until

pytestmark = pytest.mark.long

AUTHORITY = "secrets/s3-ca.crt"
HANDED_OVER_SECONDS, REFUSED_SECONDS = 180.0, 120.0
SERVICE_NAME = ENDPOINT.partition(":")[0]
DUMP = "grafana-20260101T000000Z.dump"


def certificate() -> Signed:
    return signed(Identity(name="minio", user="minio", hosts=(TLS_HOST, SERVICE_NAME)))


@pytest.fixture(scope="module")
def known() -> Signed:
    """The service's certificate."""
    return certificate()


@pytest.fixture(scope="module")
def service(known: Signed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectService]:
    """The service."""
    with object_service(tmp_path_factory.mktemp("tls"), known=known) as found:
        make_buckets(found)
        yield found


@pytest.fixture(scope="module")
def secure() -> Tree:
    """The program with TLS to the buckets."""
    storage = SMALL["objectStorage"]
    given = {**storage["s3"], "endpoint": ENDPOINT, "tls": True, "caSecret": "s3-authority"}
    config = {**SMALL, "objectStorage": {**storage, "s3": given}}
    return tree(run_program(config), config)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A store, and what it is sent.

    Attributes:
        kind: the store.
        network: where it runs.
        bucket: where that ends.
        path: where it is sent to.
        body: what is sent.
        port: if not its HTTP port.
        flush: how a replica is told to hand over.
    """

    kind: Kind
    network: str
    bucket: str
    path: str
    body: object
    port: int | None = None
    flush: tuple[str, str]


CASES = {
    "loki-cluster": Case(
        kind=LOKI,
        network="127.0.45",
        bucket="acme-dev-logs",
        path="/otlp/v1/logs",
        body=logs(["over TLS"]),
        flush=("POST", "flush"),
    ),
    "mimir": Case(
        kind=MIMIR,
        network="127.0.46",
        bucket="acme-dev-metrics",
        path="/otlp/v1/metrics",
        body=counter("tls", 1),
        flush=("POST", "ingester/flush"),
    ),
    "tempo": Case(
        kind=TEMPO,
        network="127.0.47",
        bucket="acme-dev-traces",
        path="/v1/traces",
        body=trace(secrets.token_hex(16)),
        port=4318,
        flush=("GET", "flush"),
    ),
}


@pytest.fixture
def make(stores: StoreMaker, secure: Tree, service: ObjectService) -> Callable[[str, str], Store]:
    """Describe a store that knows an authority."""

    there = replace(stores, objects=secure, service=service)

    def made(name: str, authority: str) -> Store:
        return there.make(CASES[name].kind, CASES[name].network, files={AUTHORITY: authority})

    return made


@pytest.mark.parametrize("name", CASES)
def test_a_private_authority_is_enough(
    make: Callable[[str, str], Store], service: ObjectService, known: Signed, name: str
) -> None:
    case, store = CASES[name], make(name, known.authority)
    try:
        store.begin_all()
        address = f"http://{store.addresses[0]}:{case.port or store.port}"
        httpx.post(f"{address}{case.path}", json=case.body, headers=TENANT, timeout=30).raise_for_status()
        method, path = case.flush
        for replica in store.addresses:
            httpx.request(method, f"{store.url(replica)}/{path}", timeout=60)
        until(
            "something of the tenant is in the bucket",
            lambda: any(key.startswith("otel-stack/") for key in service.objects(case.bucket)),
            seconds=HANDED_OVER_SECONDS,
        )
    finally:
        store.end()


@pytest.mark.parametrize("name", CASES)
def test_another_authority_is_refused(make: Callable[[str, str], Store], name: str) -> None:
    """Every store looks into its bucket before it starts, and says why it does not."""
    store = make(name, certificate().authority)
    first = store.addresses[0]
    try:
        store.begin(first)
        log = store.running[first].log
        until(f"{name} says so", lambda: "unknown authority" in log.read_text(), seconds=REFUSED_SECONDS)
    finally:
        store.end()


@pytest.fixture(scope="module")
def debian_with_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    with root_with(AWS_CLI, tmp_path_factory.mktemp("aws") / "root") as found:
        yield found


@contextmanager
def uploader(root: Root, secure: Tree, service: ObjectService, authority: str) -> Iterator[Running]:
    """Run the program that uploads dumps, with one to upload, as its container would."""
    program = secure.program("postgres-backup")
    (container,) = (one for one in program.containers if one["name"] == "upload")
    variables = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    home = str(Path(container["args"][0]).parent)
    root.put({f"{home}/{path}": text for path, text in secure.files(program).items()})
    root.put(
        {
            f"{home}/{AUTHORITY}": authority,
            f"{home}/secrets/credentials": service.credentials("backups").read_text(),
            "/etc/hosts": f"{TLS_HOST} {SERVICE_NAME}\n",
            f"/backups/dumps/{DUMP}": "a dump",
            "/tmp/last-dump": "",  # noqa: S108 - inside the root folder
        }
    )
    command = root.command(*container["command"], *container["args"])
    found = start("upload", command, root.folder.parent, variables)
    try:
        yield found
    finally:
        found.end()


def test_dumps_are_not_uploaded_to_a_service_of_another_authority(
    debian_with_aws: Root, secure: Tree, service: ObjectService
) -> None:
    with uploader(debian_with_aws, secure, service, certificate().authority) as found:
        until("it says so", lambda: "failed: upload of dumps" in found.tail(), seconds=REFUSED_SECONDS)
    assert "certificate verify failed" in found.tail()
    assert service.objects("acme-dev-backups") == []


def test_dumps_are_uploaded_to_a_service_of_a_private_authority(
    debian_with_aws: Root, secure: Tree, service: ObjectService, known: Signed
) -> None:
    with uploader(debian_with_aws, secure, service, known.authority):
        until("the dump", lambda: service.objects("acme-dev-backups"), seconds=HANDED_OVER_SECONDS)
    assert service.objects("acme-dev-backups") == [f"postgres/{DUMP}"]
