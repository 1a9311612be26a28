"""Reads the stack's settings, builds its phase, exports its outputs."""

from __future__ import annotations

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from components.phases import build
from components.settings import Settings
from components.settings_errors import SettingsError


def main() -> None:
    """Build the stack.

    Raises:
        pulumi.RunError: the settings are wrong; it says which and how to fix them, before anything is built.
    """
    try:
        settings = Settings.from_pulumi({**get_config_env(), **CONFIG.get()}, pulumi.get_project())
        for warning in settings.warnings():
            pulumi.log.warn(warning)
        outputs = build(settings)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    for name, value in outputs.as_dict().items():
        pulumi.export(name, value)


main()
