"""What is kept in object storage, by which store, and in which bucket."""

from __future__ import annotations

from collections.abc import Mapping

from components.sections.storage import ObjectStorageSection, S3Storage

PURPOSES: tuple[str, ...] = ("traces", "metrics", "ruler", "alertmanager", "logs", "backups")
"""One bucket each."""

STORES: Mapping[str, tuple[str, ...]] = {
    "tempo": ("traces",),
    "mimir": ("metrics", "ruler", "alertmanager"),
    "loki": ("logs",),
    "backups": ("backups",),
}
"""Purposes of each store; it may use their buckets and no others."""

ASSOCIATED_ROLE = "otel-stack.io/associated-role"
"""Annotation of pods with the role that an association grants: another role rolls them."""


def bucket_names(storage: ObjectStorageSection, environment: str) -> dict[str, str]:
    """Name the bucket of each purpose; those that the settings do not name are missing."""
    names = {purpose: getattr(storage.buckets, purpose) for purpose in PURPOSES}
    if storage.bucket_prefix is not None:
        derived = f"{storage.bucket_prefix}-{environment}"
        names = {purpose: name or f"{derived}-{purpose}" for purpose, name in names.items()}
    return {purpose: name for purpose, name in names.items() if name is not None}


def credentials_secrets(service: S3Storage) -> dict[str, str]:
    """Name the Secret of each store; those without one are missing."""
    names = {store: getattr(service.store_secrets, store) or service.credentials_secret for store in STORES}
    return {store: name for store, name in names.items() if name is not None}
