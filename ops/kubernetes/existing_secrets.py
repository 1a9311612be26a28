"""The Secrets that the settings name and others keep: are they there, with what is needed of them?"""

from __future__ import annotations

from collections.abc import Iterator

from components.alerts.contact_points import KEYS, Contacts
from components.alerts.mail import PASSWORD_KEY
from components.buckets.names import credentials_secrets
from components.grafana_ha import SECRET_KEY
from components.platform.manifests.config import key as config_key
from components.platform.manifests.scope import NAME, PART_OF, STACK
from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings import Settings
from ops.finding import Finding
from ops.kubernetes.kubectl import Kubectl, KubectlError

WantedSecret = tuple[str, tuple[str, ...], str]
"""Name, keys, and the setting that names it."""

_GRAFANA = f"--selector={NAME}=grafana,{PART_OF}={STACK}"


def check_secrets(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Does every Secret that the settings name exist, with its keys? Values are not looked at.

    Raises:
        KubectlError: the API server did not say.
    """
    for name, keys, setting in dict.fromkeys(_wanted_secrets(settings)):
        try:
            present = set(kubectl.json("get", "secret", name).get("data") or {})
        except KubectlError as error:
            if not error.absent:
                raise
            advice = f"{setting} names it; it must be in namespace {kubectl.namespace} before the stack is"
            yield Finding(name=f"Secret {name}", status="fail", found="there is none", advice=advice)
            continue
        missing = [key for key in keys if key not in present]
        if missing:
            found, advice = f"lacks {', '.join(missing)}", f"{setting} needs the keys {', '.join(keys)}"
            yield Finding(name=f"Secret {name}", status="fail", found=found, advice=advice)
        else:
            yield Finding(name=f"Secret {name}", found=", ".join(keys))


def check_grafana_key(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Does a live Grafana keep the key that its data needs, whatever Secret the settings name?

    Raises:
        KubectlError: the API server did not say.
    """
    name = settings.kubernetes.existing_secrets.grafana
    yield from _key_left_behind(kubectl) if name is None else _another_key(kubectl, name)


def _key_left_behind(kubectl: Kubectl) -> Iterator[Finding]:
    """Without a name the stack generates a key of its own."""
    mounted = {
        source["secret"]["name"]
        for workload in kubectl.objects("statefulsets,deployments", _GRAFANA)
        for volume in workload["spec"]["template"]["spec"].get("volumes", ())
        for source in volume.get("projected", {}).get("sources", ())
        for item in source.get("secret", {}).get("items", ())
        if item["path"] == SECRET_KEY and item["key"] != config_key(SECRET_KEY)
    }
    for name in sorted(mounted):
        advice = (
            "the stack would generate another key, with which nothing opens that Grafana has encrypted in "
            "its database: name it again in kubernetes.existingSecrets.grafana"
        )
        found = f"a running Grafana has that of Secret {name}, which the settings do not name"
        yield Finding(name="Grafana's key", status="fail", found=found, advice=advice)


def _another_key(kubectl: Kubectl, name: str) -> Iterator[Finding]:
    """The Secret that replaces the stack's own must have the same key."""
    key = SECRET_KEY.rpartition("/")[2]
    own = kubectl.objects("secrets", _GRAFANA)
    kept = {(one.get("data") or {}).get(config_key(SECRET_KEY)): one["metadata"]["name"] for one in own}
    kept.pop(None, None)
    if not kept or not kubectl.exists("secret", name):
        return
    if (kubectl.json("get", "secret", name).get("data") or {}).get(key) not in kept:
        advice = (
            f"what Grafana has encrypted opens with the old one: copy {key} and admin-password from the "
            "running pod, as docs/kubernetes.md says; or delete the old Secret, if nothing of it is needed"
        )
        found = f"a different {key} from that of {', '.join(kept.values())}"
        yield Finding(name="Grafana's key", status="fail", found=found, advice=advice)


def _wanted_secrets(settings: Settings) -> Iterator[WantedSecret]:
    section = settings.kubernetes
    existing, tls = section.existing_secrets, section.exposure.tls_secret
    if existing.grafana is not None:
        yield existing.grafana, ("admin-password", "secret-key"), "kubernetes.existingSecrets.grafana"
    if existing.kafka is not None:
        yield existing.kafka, ("password",), "kubernetes.existingSecrets.kafka"
    if existing.kafka_ca is not None:
        yield existing.kafka_ca, ("ca.crt",), "kubernetes.existingSecrets.kafkaCa"
    if tls is not None:
        yield tls, ("tls.crt", "tls.key"), "kubernetes.exposure.tlsSecret"
    for name in section.image_pull_secrets:
        yield name, (".dockerconfigjson",), "kubernetes.imagePullSecrets"
    if settings.phase >= ON_OBJECT_STORAGE:
        yield from _wanted_by_stores(settings)


def _wanted_by_stores(settings: Settings) -> Iterator[WantedSecret]:
    storage, postgres, oidc = settings.object_storage, settings.postgres, settings.grafana.oidc
    if storage.provider == "s3":
        own = storage.s3.store_secrets
        for store, name in credentials_secrets(storage.s3).items():
            setting = f"storeSecrets.{store}" if getattr(own, store) else "credentialsSecret"
            yield name, ("credentials",), f"objectStorage.s3.{setting}"
        if storage.s3.ca_secret is not None:
            yield storage.s3.ca_secret, ("ca.crt",), "objectStorage.s3.caSecret"
    if postgres.password_secret is not None:
        yield postgres.password_secret, ("password",), "postgres.passwordSecret"
    if postgres.ca_secret is not None:
        yield postgres.ca_secret, ("ca.crt",), "postgres.caSecret"
    if oidc is not None:
        yield oidc.client_secret, ("client-secret",), "grafana.oidc.clientSecret"
    contacts = Contacts.of(settings.alerting)
    for point in contacts.points:
        if point.secret is not None:
            yield point.secret, (KEYS[point.type],), "alerting.contactPoints"
    if contacts.smtp is not None and contacts.smtp.password_secret is not None:
        yield contacts.smtp.password_secret, (PASSWORD_KEY,), "alerting.smtp.passwordSecret"
