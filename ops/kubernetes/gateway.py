"""The Gateway that the stack's routes name: if it is missing or turns them away, nobody serves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.settings import Settings
from ops.finding import Finding
from ops.kubernetes.kubectl import Kubectl, KubectlError

KIND = "gateways.gateway.networking.k8s.io"


def check_gateway(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Is there such a Gateway, with such a listener, which takes routes of the stack's namespace?

    A listener that chooses namespaces by their labels is taken to choose this one.

    Raises:
        KubectlError: the API server did not say.
    """
    exposure = settings.kubernetes.exposure
    if exposure.type != "GatewayAPI" or exposure.gateway is None:
        return
    namespace = exposure.gateway_namespace or kubectl.namespace
    name = f"Gateway {namespace}/{exposure.gateway}"
    try:
        found = kubectl.json("get", KIND, exposure.gateway, f"--namespace={namespace}")
    except KubectlError as error:
        if not error.absent:
            raise
        advice = (
            "set kubernetes.exposure.gateway and gatewayNamespace to one that exists: "
            f"{kubectl.typed('get', KIND, '--all-namespaces')}"
        )
        yield Finding(name=name, status="fail", found="there is none", advice=advice)
        return
    listeners = {str(one["name"]): one for one in found["spec"]["listeners"]}
    wanted = exposure.gateway_listener
    if wanted is not None and wanted not in listeners:
        advice = f"set kubernetes.exposure.gatewayListener to one of: {', '.join(listeners)}"
        yield Finding(name=name, status="fail", found=f"no listener {wanted}", advice=advice)
        return
    chosen = [wanted] if wanted is not None else list(listeners)
    open_here = [one for one in chosen if _admits(listeners[one], same=namespace == kubectl.namespace)]
    if open_here:
        yield Finding(name=name, found=f"listeners {', '.join(open_here)}")
    else:
        advice = (
            "have allowedRoutes.namespaces of the listener admit it; by default a listener takes only routes "
            "of its Gateway's own namespace"
        )
        told = f"{', '.join(chosen)}: no routes of namespace {kubectl.namespace}"
        yield Finding(name=name, status="fail", found=told, advice=advice)


def _admits(listener: Mapping[str, Any], *, same: bool) -> bool:
    namespaces = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    admitted = namespaces.get("from", "Same")
    return admitted in {"All", "Selector"} or (admitted == "Same" and same)
