"""Stack configuration as frozen, typed, checked settings."""

from components.settings.load import SECRETS, Settings

__all__ = ["SECRETS", "Settings"]
