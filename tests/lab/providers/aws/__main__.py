"""``python -m tests.lab.providers.aws``: the process that the engine runs."""

from __future__ import annotations

from tests.lab.providers.aws.provider import AwsProvider
from tests.lab.providers.serve import serve

serve(AwsProvider())
