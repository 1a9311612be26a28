"""What must hold between the settings of the ways in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pydantic.alias_generators import to_camel

from components.sections.kubernetes import ExposureSection
from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem

_OUTSIDE = ("LoadBalancer", "Ingress", "GatewayAPI")
_OF_TYPES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("otlp_grpc_host", "otlp_http_host", "grafana_host", "tls", "annotations"), _OUTSIDE),
    "grpc_annotations": ("Ingress", "GatewayAPI"),
    "class_name": ("LoadBalancer", "Ingress"),
    "tls_secret": ("Ingress",),
    "source_ranges": ("LoadBalancer",),
    **dict.fromkeys(("gateway", "gateway_namespace", "gateway_listener"), ("GatewayAPI",)),
}
"""Setting -> types of exposure that use it."""

_INSTEAD: Mapping[str, str] = {
    "tls_secret": "a Gateway's listeners and a cloud's load balancer have their own certificates (see "
    "exposure.annotations)",
    "source_ranges": "restrict what is in front of it",
}

_DNS_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_MAKES_CERTIFICATES = re.compile(r"cert-manager\.io/(cluster-)?issuer|kubernetes\.io/tls-acme")


def _exposure_is_whole(settings: SettingsModel) -> Iterator[Problem]:
    exposure = settings.kubernetes.exposure
    if exposure.type == "ClusterIP":
        return
    for key, value in (
        ("otlpGrpcHost", exposure.otlp_grpc_host),
        ("otlpHttpHost", exposure.otlp_http_host),
    ):
        if value is None:
            yield Problem(
                key=f"kubernetes.exposure.{key}",
                value=None,
                message=f"exposure.type: {exposure.type} needs the host name under which it is reached",
            )
    if exposure.type == "GatewayAPI" and exposure.gateway is None:
        yield Problem(
            key="kubernetes.exposure.gateway",
            value=None,
            message="exposure.type: GatewayAPI needs the name of a Gateway in the cluster",
        )


def _exposure_is_of_its_type(settings: SettingsModel) -> Iterator[Problem]:
    exposure, unset = settings.kubernetes.exposure, ExposureSection()
    for name, types in _OF_TYPES.items():
        value = getattr(exposure, name)
        if value != getattr(unset, name) and exposure.type not in types:
            instead = f" ({_INSTEAD[name]})" if name in _INSTEAD else ""
            yield Problem(
                key=f"kubernetes.exposure.{to_camel(name)}",
                value=list(value) if isinstance(value, tuple) else value,
                message=f"exposure.type: {exposure.type} does not use it{instead}; remove it, or set "
                f"exposure.type: {' or '.join(types)}",
            )
    if exposure.type == "Ingress" and "/" in (exposure.class_name or ""):
        yield Problem(
            key="kubernetes.exposure.className",
            value=exposure.class_name,
            message="exposure.type: Ingress takes the name of an IngressClass, such as nginx, which has no "
            "slash (kubectl get ingressclasses lists them); a load balancer's class may have one: set one of "
            "those names, or exposure.type: LoadBalancer",
        )


def _hosts(exposure: ExposureSection) -> Iterator[tuple[str, str]]:
    """Give the keys of host names that tell requests apart, with their values."""
    if exposure.type in ("Ingress", "GatewayAPI"):
        for name in ("otlp_grpc_host", "otlp_http_host", "grafana_host"):
            host = getattr(exposure, name)
            if host is not None:
                yield f"kubernetes.exposure.{to_camel(name)}", host


def _hosts_are_names(settings: SettingsModel) -> Iterator[Problem]:
    exposure = settings.kubernetes.exposure
    for key, host in _hosts(exposure):
        if not _DNS_NAME.fullmatch(host):
            yield Problem(
                key=key,
                value=host,
                message=f"exposure.type: {exposure.type} takes names in lower case only, no addresses, such "
                "as otlp.example.com",
            )


def _hosts_differ(settings: SettingsModel) -> Iterator[Problem]:
    exposure = settings.kubernetes.exposure
    taken: dict[str, str] = {}
    for key, host in _hosts(exposure):
        first = taken.setdefault(host, key)
        if first != key:
            yield Problem(
                key=key,
                value=host,
                message=f"{first} is the same, and exposure.type: {exposure.type} tells them apart only by "
                "their hosts; give each its own",
            )


def _certificate_is_made_once(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse what makes one certificate for each Ingress: all of them share one Secret."""
    exposure = settings.kubernetes.exposure
    for key in (*exposure.annotations, *exposure.grpc_annotations):
        if exposure.type == "Ingress" and _MAKES_CERTIFICATES.fullmatch(key):
            yield Problem(
                key="kubernetes.exposure.annotations",
                value=key,
                message="it makes a certificate for each Ingress, and all of them share "
                "exposure.tlsSecret; remove it, and make one Certificate for all host names",
            )


def _clients_can_be_told(settings: SettingsModel) -> Iterator[Problem]:
    section = settings.kubernetes
    if section.clients and section.exposure.type == "LoadBalancer":
        yield Problem(
            key="kubernetes.clients",
            value=dict(section.clients),
            message="connections of a load balancer come from no namespace, so this could not keep others "
            "out: remove it and restrict the load balancer (exposure.sourceRanges), or choose another "
            "exposure.type",
        )


def _sign_in_comes_back(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse sign-in whose provider sends browsers back to an address inside the cluster."""
    grafana, exposure = settings.grafana, settings.kubernetes.exposure
    if settings.phase < ON_OBJECT_STORAGE or grafana.oidc is None:
        return
    is_published = exposure.type != "ClusterIP" and exposure.grafana_host is not None
    if grafana.root_url is None and not is_published:
        yield Problem(
            key="grafana.rootUrl",
            value=None,
            message="grafana.oidc sends browsers back to Grafana's address, which is one inside the cluster; "
            "set the one that people type, such as https://grafana.example.com, or "
            "kubernetes.exposure.grafanaHost with a type other than ClusterIP",
        )


EXPOSURE_CHECKS: tuple[Check, ...] = (
    Check(reads=("phase", "grafana", "kubernetes"), run=_sign_in_comes_back),
    Check(reads=("kubernetes",), run=_exposure_is_whole),
    Check(reads=("kubernetes",), run=_exposure_is_of_its_type),
    Check(reads=("kubernetes",), run=_hosts_are_names),
    Check(reads=("kubernetes",), run=_hosts_differ),
    Check(reads=("kubernetes",), run=_certificate_is_made_once),
    Check(reads=("kubernetes",), run=_clients_can_be_told),
)
