"""Which setting decides an option for every task that says nothing of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from safecelery.lint.finding import Because
from safecelery.lint.project.conf import Configuration
from safecelery.lint.project.objects import App
from safecelery.lint.project.options import FROM_CONFIG, Options

__all__ = ["ROUTING", "Cause", "Causes"]

ROUTING: Final = ("queue", "exchange", "exchange_type", "routing_key", "delivery_mode", "priority")
Cause: TypeAlias = Callable[[str], Because | None]
"""The setting that decides an option of one task; None where the task decides it, or it cannot be told."""


class Causes:
    """Worked out once for an app, and for a task when something is found at fault with it."""

    def __init__(self) -> None:
        self._settings: dict[int, dict[str, Because]] = {}

    def of(self, options: Options) -> Cause:
        """For one task under one app."""
        app, conf = options.app, options.conf
        if app is None or conf is None:
            return lambda option: None
        settings = self._settings.get(id(app))
        if settings is None:
            settings = self._settings[id(app)] = _deciding(app, conf)
        return lambda option: settings.get(option) if option in ROUTING or _says_nothing(options, option) else None


def _says_nothing(options: Options, option: str) -> bool:
    declared = options.declared(option)
    return declared is None or (not declared.is_unknown and declared.data is None)


def _deciding(app: App, conf: Configuration) -> dict[str, Because]:
    found: dict[str, Because] = {}
    for option, setting in FROM_CONFIG.items():
        value = conf.value(setting)
        at = next((link for link in value.because if link.file and link.line), None)
        if conf.stated(setting) and at is not None:
            found[option] = Because(at.file, at.line, setting)
        elif not value.is_unknown:
            found[option] = Because(app.module.path, app.line, f"{setting}, which nobody sets")
    routes = conf.value("task_routes")
    at = next((link for link in routes.because if link.file and link.line), None)
    way = Because(at.file, at.line, "task_routes") if at is not None else None
    return found | dict.fromkeys(ROUTING, way or Because(app.module.path, app.line, "task_routes, which nobody sets"))
