"""Settings of Grafana: its address, its administrator, who signs in how."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT, Address, HostName, Login, TcpPort, Url
from components.sections.kubernetes import ObjectName
from components.values.addresses import LOOPBACK


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OidcSection:
    """Sign-in to Grafana through an OpenID Connect provider.

    Attributes:
        name: label of the sign-in button.
        client_id: client ID under which the provider knows Grafana.
        client_secret: Secret in the stack's namespace with key ``client-secret``.
        auth_url: the provider's authorization endpoint.
        token_url: its token endpoint.
        api_url: its user info endpoint.
        scopes: requested scopes; with ``offline_access`` a session outlasts the provider's token.
        role_attribute_path: JMESPath expression over the claims that yields Admin, Editor or Viewer; by
            default everybody is a Viewer.
        allowed_domains: domains of the e-mail addresses that may sign in; all by default.
        allowed_groups: groups, of which a person must be in at least one; by default none is required.
        groups_attribute_path: JMESPath expression over the claims that yields a person's groups.
        only: redirect people to the provider at once and offer no password form.
    """

    name: Annotated[str, Field(min_length=1)] = "OpenID Connect"
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: ObjectName
    auth_url: Url
    token_url: Url
    api_url: Url
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    role_attribute_path: str | None = None
    allowed_domains: tuple[HostName, ...] = ()
    allowed_groups: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    groups_attribute_path: Annotated[str, Field(min_length=1)] = "groups"
    only: bool = False


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GrafanaSection:
    """Grafana's address and administrator, whose password is generated; from phase 4 on replicas and logins.

    Attributes:
        bind_address: address of the host on which Grafana is published, in phases 1 and 2.
        port: published port, likewise.
        admin_user: login of the administrator.
        root_url: address people type, if not the published one (behind a proxy).
        replicas: replicas in phase 4, behind one address.
        oidc: sign-in through an OpenID Connect provider.
        profiles_url: an existing Pyroscope, whose profiles phase 4's traces link to.
    """

    bind_address: Address = LOOPBACK
    port: TcpPort = 3000
    admin_user: Login = "admin"
    root_url: Url | None = None
    replicas: Annotated[int, Field(ge=2, le=10)] = 2
    oidc: OidcSection | None = None
    profiles_url: Url | None = None
