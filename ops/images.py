"""The images that a stack is going to run."""

from __future__ import annotations

from components.images import CATALOGUE
from components.settings import Settings


def image_references(settings: Settings) -> list[str]:
    """References of all images of the stack, mirror and overrides applied."""
    images = settings.image_catalogue
    return [images[program].reference for program in CATALOGUE]
