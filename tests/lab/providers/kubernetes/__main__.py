"""``python -m tests.lab.providers.kubernetes``: the process that the engine runs."""

from __future__ import annotations

from tests.lab.providers.kubernetes.provider import KubernetesProvider
from tests.lab.providers.kubernetes.servicer import KubernetesServicer
from tests.lab.providers.serve import serve

provider = KubernetesProvider()
serve(provider, KubernetesServicer(provider))
