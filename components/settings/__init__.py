"""Stack configuration as frozen, typed, checked settings."""

from components.settings.errors import SettingsError
from components.settings.load import SECRETS, Settings

__all__ = ["SECRETS", "Settings", "SettingsError"]
