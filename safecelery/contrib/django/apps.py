"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["SafeCeleryConfig"]


class SafeCeleryConfig(AppConfig):
    """Registers the checks; has no models."""

    name = "safecelery.contrib.django"
    label = "safecelery"
    verbose_name = "safecelery"

    def ready(self) -> None:
        """Called by Django once every app is loaded."""
        from safecelery.contrib.django.checks import register_checks

        register_checks()
