"""JSON Schema of ``Pulumi.<stack>.yaml``, so that editors complete and check it.

``python -m components.settings.schema`` writes it; a test keeps it current.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.settings.load import Settings

NAMESPACE = "otel-stack"
PATH = Path(__file__).with_name("schema.json")


def stack_file_schema() -> dict[str, Any]:
    """Describe a whole stack file: the project's keys are checked, other providers' keys pass."""
    settings = Settings.json_schema()
    definitions = settings.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack configuration of otel-stack",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": {f"{NAMESPACE}:{key}": value for key, value in settings["properties"].items()},
                "patternProperties": {f"^(?!{NAMESPACE}:)[^:]+:.+$": {}},
                "additionalProperties": False,
            }
        },
        "$defs": definitions,
    }


def schema_text() -> str:
    """Write the schema as it is committed."""
    return json.dumps(stack_file_schema(), indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema_text(), encoding="utf-8")
