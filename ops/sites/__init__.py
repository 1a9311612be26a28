"""Where a stack runs, Docker or Kubernetes: what differs for operators is behind one interface."""

from __future__ import annotations

import os
from collections.abc import Mapping

from components.sections.phase_numbers import ON_KUBERNETES
from ops.project import Stack
from ops.sites.docker import DockerSite
from ops.sites.kubernetes import KubernetesSite
from ops.sites.model import Examination, Site

__all__ = ["Examination", "Site", "site_of"]


def site_of(stack: Stack, environ: Mapping[str, str] = os.environ) -> Site:
    """Give the place where a stack runs; nothing is contacted.

    Args:
        stack: its files.
        environ: where to look for programs such as kubectl.
    """
    return KubernetesSite(stack, environ) if stack.settings.phase >= ON_KUBERNETES else DockerSite(stack)
