"""The images that a stack will run on its Docker Engine."""

from __future__ import annotations

from components.sections.phase_numbers import WITH_KAFKA
from components.settings import Settings

FIRST_PHASE = ("collector", "jaeger", "prometheus", "loki", "grafana")
BUFFERED = (*FIRST_PHASE, "kafka", "haproxy")


def images_by_program(settings: Settings) -> dict[str, str]:
    """Reference of the image of every program of the stack, mirror and overrides applied."""
    images = settings.image_catalogue
    programs = FIRST_PHASE if settings.phase < WITH_KAFKA else BUFFERED
    return {program: images[program].reference for program in programs}


def image_references(settings: Settings) -> list[str]:
    """References of all images of the stack."""
    return list(images_by_program(settings).values())
