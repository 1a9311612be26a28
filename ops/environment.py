"""The engine's environment as shell lines, for people who type plain ``pulumi`` commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ops.pulumi.engine import DOCKER_VARIABLES
from ops.session import Session

CONFIG_FILE = "OTEL_STACK_CONFIG_FILE"


def export_lines(session: Session) -> Iterator[str]:
    """Give the lines of ``eval "$(python -m ops env --stack NAME)"``; none of them holds a secret."""
    added = {**session.pulumi.added, "PULUMI_STACK": session.stack.name}
    if session.state.config_file is not None:
        added[CONFIG_FILE] = str(session.state.config_file)
    yield f"unset {' '.join(DOCKER_VARIABLES)}"
    for name, value in sorted(added.items()):
        yield f"export {name}={shlex.quote(value)}"
    if session.state.config_file is not None:
        yield f'# pulumi up --config-file "${CONFIG_FILE}" leaves the committed file as it is'
