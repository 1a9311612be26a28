"""The cluster's own logic; that it works is proved by what runs on it."""

from __future__ import annotations

import ipaddress
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from components.settings import Settings
from tests.lab import image_table, programs
from tests.lab.cluster import (
    addons,
    commands,
    components,
    configs,
    layout,
    network,
    pki,
    processes,
    simulation,
)
from tests.lab.errors import LabError
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and a place for sockets."""
    root = tmp_path / "cache"
    monkeypatch.setenv("OTEL_STACK_LAB_CACHE", str(root))
    monkeypatch.setattr(layout, "RUN", tmp_path / "run")
    return root


def test_the_settings_that_lead_to_it_are_printed(tmp_path: Path) -> None:
    lines = commands.how_to_use().splitlines()
    first = lines.index("  otel-stack:kubernetes:")
    config = yaml.safe_load("\n".join(lines[first : first + 3]))
    section = Settings.load({"phase": 3, "kubernetes": config["otel-stack:kubernetes"]}).kubernetes
    pki.ensure()
    configs.write_all(tmp_path)
    contexts = yaml.safe_load(Path(str(section.kubeconfig)).read_text())["contexts"]
    assert [one["name"] for one in contexts] == [section.context]


class TestCertificates:
    def test_each_is_signed_by_the_authority_for_its_user_and_group(self) -> None:
        pki.ensure()
        authority = _certificate(pki.AUTHORITY)
        for identity in pki.IDENTITIES:
            certificate = _certificate(identity.name)
            certificate.verify_directly_issued_by(authority)
            assert _names(certificate, NameOID.COMMON_NAME) == [identity.user]
            assert _names(certificate, NameOID.ORGANIZATION_NAME) == (
                [identity.group] if identity.group else []
            )

    def test_only_servers_have_hosts(self) -> None:
        pki.ensure()
        usage = _certificate("kube-scheduler").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
        names = _certificate("kube-apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert f"kubernetes.default.svc.{layout.DOMAIN}" in names.value.get_values_for_type(x509.DNSName)
        addresses = names.value.get_values_for_type(x509.IPAddress)
        assert ipaddress.ip_address(layout.API_SERVICE_ADDRESS) in addresses

    def test_keys_and_kubeconfigs_are_for_their_owner_only(self, tmp_path: Path) -> None:
        pki.ensure()
        configs.write_all(tmp_path)
        private = [*pki.folder().glob("*.key"), layout.kubeconfig(), configs.path("kubelet.kubeconfig")]
        assert len(private) > len(pki.IDENTITIES)
        assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}

    def test_a_second_start_keeps_them(self) -> None:
        pki.ensure()
        before = pki.certificate("admin").read_bytes()
        pki.ensure()
        assert pki.certificate("admin").read_bytes() == before


class TestConfiguration:
    def test_the_kubeconfig_has_the_promised_context(self, tmp_path: Path) -> None:
        pki.ensure()
        configs.write_all(tmp_path)
        written = yaml.safe_load(layout.kubeconfig().read_text())
        assert written["current-context"] == "otel-stack-lab"
        assert written["clusters"][0]["cluster"]["server"] == "https://10.244.0.1:6443"

    def test_addresses_fit_together(self) -> None:
        pods, services = (ipaddress.ip_network(n) for n in (layout.POD_NETWORK, layout.SERVICE_NETWORK))
        assert ipaddress.ip_address(layout.NODE_ADDRESS) in pods
        assert {
            ipaddress.ip_address(a) in services for a in (layout.DNS_ADDRESS, layout.API_SERVICE_ADDRESS)
        } == {True}
        assert not pods.overlaps(services)

    def test_what_starts_with_the_cluster_uses_images_that_the_lab_makes(self) -> None:
        made = {image.reference for image in image_table.LAB_IMAGES}
        assert set(addons.IMAGES.values()) <= made
        assert configs.PAUSE_IMAGE in made
        resources = [resource for resource in yaml.safe_load_all(addons.manifests()) if resource]
        used = {
            container["image"]
            for resource in resources
            if resource["kind"] == "Deployment"
            for container in resource["spec"]["template"]["spec"]["containers"]
        }
        assert used <= made

    def test_one_storage_class_is_the_default(self) -> None:
        resources = [resource for resource in yaml.safe_load_all(addons.manifests()) if resource]
        storage, *_ = (resource for resource in resources if resource["kind"] == "StorageClass")
        assert storage["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
        assert storage["volumeBindingMode"] == "WaitForFirstConsumer"

    def test_no_process_listens_beyond_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(programs, "binary_path", lambda name: Path(sys.executable).with_name(name))
        monkeypatch.setattr("tests.lab.cache.binary", Path)
        pki.ensure()
        for name in components.NAMES:
            words = " ".join(str(word) for word in components.command(name))
            assert "0.0.0.0" not in words
        assert configs.kubelet(layout.FIRST)["address"] == layout.NODE_ADDRESS
        assert configs.kube_proxy(layout.FIRST)["bindAddress"] == layout.NODE_ADDRESS


class TestPacketFilter:
    SAVED = """\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-ABC - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-ABC
COMMIT
"""

    def test_kubernetes_chains_go_and_nothing_else(self) -> None:
        assert network.removal("nat", self.SAVED).splitlines() == [
            "*nat",
            ":KUBE-SERVICES - [0:0]",
            ":KUBE-SVC-ABC - [0:0]",
            '-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
            "-X KUBE-SERVICES",
            "-X KUBE-SVC-ABC",
            "COMMIT",
        ]

    def test_a_clean_table_is_left_alone(self) -> None:
        assert network.removal("nat", "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n") == ""


class TestProcesses:
    def test_a_process_is_started_once_and_ended(self) -> None:
        sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
        processes.start("sleeper", sleeper)
        first = processes.pid("sleeper")
        processes.start("sleeper", sleeper)
        assert first is not None
        assert processes.pid("sleeper") == first
        processes.stop("sleeper")
        assert not processes.is_running("sleeper")

    def test_one_that_does_not_listen_is_killed(self) -> None:
        processes.start("deaf", ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
        processes.stop("deaf", grace_seconds=0.3)
        assert not processes.is_running("deaf")

    def test_another_process_under_the_same_id_is_not_taken_for_it(self) -> None:
        record = layout.state("processes") / "other.json"
        record.write_text(f'{{"pid": {os.getpid()}, "started": "1"}}')
        assert not processes.is_running("other")
        processes.stop("other")

    def test_one_that_has_ended_is_told_with_its_last_words(self) -> None:
        processes.start("brief", [sys.executable, "-c", "print('the reason')"])
        known = processes.pid("brief")
        if known is not None:
            os.waitpid(known, 0)
        with pytest.raises(LabError, match=r"(?s)brief has ended.*the reason"):
            processes.require_running("brief")

    def test_a_missing_program_is_named(self) -> None:
        with pytest.raises(LabError, match="no-such-program could not be started"):
            processes.start("missing", ["no-such-program"])

    def test_processes_are_found_by_an_argument(self) -> None:
        argument = f"--mark={os.getpid()}"
        with subprocess.Popen([sys.executable, "-c", "input()", argument], stdin=subprocess.PIPE) as process:
            found = until("the process to be seen", lambda: processes.with_argument(argument), seconds=10)
            assert found == [process.pid]
            process.communicate(b"\n")


class TestSimulatedNodes:
    def test_they_are_spread_over_the_zones(self) -> None:
        nodes = [simulation.node(number, 3, "8", "32Gi") for number in range(1, 101)]
        zones = [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes]
        assert {zone: zones.count(zone) for zone in set(zones)} == {"zone-1": 34, "zone-2": 33, "zone-3": 33}
        assert len({node["metadata"]["name"] for node in nodes}) == 100

    def test_only_who_tolerates_them_lands_there(self) -> None:
        (taint,) = simulation.node(1, 3, "8", "32Gi")["spec"]["taints"]
        assert (taint["key"], taint["effect"]) == ("kwok.x-k8s.io/node", "NoSchedule")

    def test_without_a_cluster_it_says_so(self) -> None:
        with pytest.raises(LabError, match="cluster up"):
            simulation.apply(count=1, zones=1, cpu="1", memory="1Gi")


def _certificate(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pki.certificate(name).read_bytes())


def _names(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(kind)]
