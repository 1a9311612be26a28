"""``python -m tests.lab.providers.docker``: the process that the engine runs."""

from __future__ import annotations

from tests.lab.providers.docker.provider import DockerProvider
from tests.lab.providers.serve import serve

serve(DockerProvider())
