"""What a run has learned of apps and tasks, which all parts of the dialect share."""

from __future__ import annotations

from collections.abc import Sized

from safecelery.lint.finding import Because
from safecelery.lint.model.values import Function, Val
from safecelery.lint.project.django import DjangoSettings
from safecelery.lint.project.flask import FlaskConfig
from safecelery.lint.project.objects import App, Task

__all__ = ["Knowledge"]


class Knowledge:
    """One run's knowledge of apps and tasks, in the order in which they were met."""

    def __init__(self) -> None:
        self.apps: list[App] = []
        self.tasks: list[Task] = []
        self.django = DjangoSettings()
        self.flask = FlaskConfig()
        self.security: list[tuple[App | None, Because]] = []
        """Calls of ``setup_security``."""
        self.periodic: list[tuple[App | None, list[Val], dict[str, Val], Because]] = []
        """Calls of ``add_periodic_task``."""
        self.receivers: list[tuple[App, Function]] = []
        """Functions connected to a signal of an app."""
        self.held: dict[str, App] = {}
        """Apps that were put under a key into something that cannot be followed: ``registry["celery.app"] = app``."""
        self.seen: set[tuple[int, int, str]] = set()

    def current(self) -> Val | None:
        """``current_app``, if there is no doubt about which one."""
        return Val(self.apps[0]) if len(self.apps) == 1 else None

    def learned(self) -> int:
        """How many things are known; more after something was made, configured or declared."""
        parts: list[Sized] = [self.apps, self.tasks, self.security, self.periodic, self.receivers, self.held, self.seen]
        return sum(map(len, parts)) + sum(len(app.events) for app in self.apps) + self.flask.learned()
