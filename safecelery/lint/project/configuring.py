"""Configuration of an app: each change of it is an :class:`Event`, in the order of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safecelery.lint.finding import Because
from safecelery.lint.model.reading import describe
from safecelery.lint.model.values import (
    Class,
    Ext,
    ExtInstance,
    Instance,
    ModuleRef,
    Table,
    Unknown,
    Val,
    unknown,
)
from safecelery.lint.project.flask import is_flask_config
from safecelery.lint.project.knowledge import Knowledge
from safecelery.lint.project.objects import App, AppMethod, Conf, Event

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Configuring", "names_flask_config"]


class Configuring(Knowledge):
    """``app.conf``: set, updated and read back."""

    def _set(self, it: Interpreter, app: App, name: str, value: Val, at: Because) -> None:
        value = value.depending(it.condition)
        first = value.because[0] if value.because else None
        named = first is not None and first.file == at.file and first.what == name  # the keyword in a call over lines
        if first is None or (first.line != at.line and not named):
            value = value.via(Because(at.file, at.line, name))
        app.events.append(Event("set", name, value, at, None, not it.uncertain))

    def _update(self, it: Interpreter, app: App, args: list[Val], kwargs: dict[str, Val], at: Because) -> None:
        for argument in args:
            data = argument.data
            if isinstance(data, Table):
                for key, value in data.items.items():
                    self._set(it, app, str(key), value.depending(argument.env), at)
                if data.open:
                    app.events.append(Event("open", "", unknown(at.what), at))
            elif isinstance(data, Instance | Class | ModuleRef):
                app.events.append(Event("source", "", argument, at, None, not it.uncertain))
            elif names_flask_config(data):
                app.events.append(Event("flask", "", unknown(describe(argument)), at, None, not it.uncertain))
            elif not (isinstance(data, ExtInstance) and data.name == "builtins.dict"):
                app.events.append(Event("open", "", unknown(describe(argument), argument.env, argument.because), at))
        for key, value in kwargs.items():
            if key == "**":
                app.events.append(Event("open", "", value, at))
            else:
                self._set(it, app, key, value, at)

    def _conf_attribute(self, it: Interpreter, conf: Conf, name: str, at: Because) -> Val | None:
        if name in ("update", "setdefault", "get"):
            return Val(AppMethod(conf.app, f"conf.{name}"))
        if name in ("beat_schedule", "task_routes", "task_queues", "broker_transport_options", "task_annotations"):
            # These are filled item by item: what is read back must be the same object.
            for event in reversed(conf.app.events):
                if event.kind == "set" and event.name == name:
                    return event.value
            if any(event.kind == "source" for event in conf.app.events):
                return unknown(f"{conf.app.label}.conf.{name}")
            fresh = Val(Table())
            conf.app.events.append(Event("set", name, fresh, at))
            return fresh
        for event in reversed(conf.app.events):
            if event.kind == "set" and event.name == name:
                return event.value
        return unknown(f"{conf.app.label}.conf.{name}")


def names_flask_config(data: object) -> bool:
    """``app.config`` of Flask."""
    return is_flask_config(data.why if isinstance(data, Unknown) else data.name if isinstance(data, Ext) else "")
