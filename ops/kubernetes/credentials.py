"""Credentials for the buckets that a stack makes on AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.buckets.credentials import METADATA_DISABLED, credentials_findable
from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings import Settings
from ops.finding import Finding


def check_credentials(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Are there any, where the stack needs them? Whose they are is up to the engine's plugin to ask."""
    in_use = settings.phase >= ON_OBJECT_STORAGE and settings.object_storage.provider == "aws"
    if not (in_use or settings.buckets_wait):
        return
    name = "AWS credentials"
    if credentials_findable(environ):
        yield Finding(name=name, found="in the environment, in a file, or an instance's role")
        return
    advice = (
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
        f"where an instance has a role, {METADATA_DISABLED}=false"
    )
    yield Finding(name=name, status="fail", found="there are none", advice=advice)
