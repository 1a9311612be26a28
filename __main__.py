"""Reads the stack's settings, builds its phase, exports its outputs."""

from __future__ import annotations

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

from components.phases import build
from components.settings import SECRETS, Settings, SettingsError
from components.values.secret_text import ENCRYPTED


def main() -> None:
    """Build the stack.

    Raises:
        pulumi.RunError: the settings are wrong; it says which and how to fix them, before anything is built.
    """
    try:
        config = {**get_config_env(), **CONFIG.get()}
        secrets = [key for key in config if is_config_secret(key)]
        settings = Settings.from_pulumi(config, pulumi.get_project(), secrets=secrets)
        for warning in settings.warnings():
            pulumi.log.warn(warning)
        for name in SECRETS:
            key = f"{pulumi.get_project()}:{name}"
            if config.get(key, ENCRYPTED) != ENCRYPTED and key not in secrets:
                pulumi.log.warn(f"{name} is in the stack's file in clear; pulumi config set --secret {key}")
        outputs = build(settings)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    for name, value in outputs.as_dict().items():
        pulumi.export(name, value)


main()
