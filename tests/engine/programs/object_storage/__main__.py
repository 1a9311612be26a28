"""The buckets and roles of phase 4 alone: no Kubernetes, no stores."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pulumi
from pydantic import TypeAdapter

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from components.object_storage import ObjectStorage, ObjectStorageArgs
from components.sections.stack import RetentionSection
from components.sections.storage import ObjectStorageSection
from components.settings.fixed import fix_buckets

given = pulumi.Config()
environment = given.require("environment")
storage = TypeAdapter(ObjectStorageSection).validate_json(json.dumps(given.require_object("objectStorage")))
retention = TypeAdapter(RetentionSection).validate_json(json.dumps(given.get_object("retention") or {}))
made = ObjectStorage(
    "object-storage",
    ObjectStorageArgs(
        storage=storage,
        environment=environment,
        namespace="observability",
        retention=retention,
    ),
)
fix_buckets(storage, environment, made.made)
pulumi.export("buckets", {purpose: bucket.name for purpose, bucket in made.buckets.items()})
pulumi.export("roles", dict(made.role_arns))
