"""``python -m tests.lab.providers.random``: the process that the engine runs."""

from __future__ import annotations

from tests.lab.providers.random.provider import random_provider
from tests.lab.providers.serve import serve

serve(random_provider())
