"""Apps: made, asked for attributes, and their methods called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes
from safecelery.lint.model.reading import plain
from safecelery.lint.model.values import (
    NONE,
    Bound,
    Class,
    Ext,
    ExtInstance,
    Function,
    Native,
    Partial,
    Table,
    Val,
    unknown,
)
from safecelery.lint.project.configuring import Configuring
from safecelery.lint.project.declaring import Declaring
from safecelery.lint.project.objects import App, AppMethod, Conf, Event

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Apps"]

_INIT: Final = (
    "main", "loader", "backend", "amqp", "events", "log", "control", "set_as_current", "tasks", "broker", "include",
    "changes", "config_source", "fixups", "task_cls", "autofinalize", "namespace", "strict_typing",
)  # fmt: skip
"""The parameters of ``Celery.__init__`` in order (celery/app/base.py)."""
_APP_METHODS: Final = frozenset(
    ["task", "config_from_object", "config_from_envvar", "config_from_cmdline", "register_task", "autodiscover_tasks",
     "add_defaults", "send_task", "signature", "subclass_with_self", "create_task_cls", "finalize", "set_default",
     "set_current", "add_periodic_task", "setup_security", "start", "worker_main"]
)  # fmt: skip

_SIGNALS: Final = frozenset({"on_configure", "on_after_configure", "on_after_finalize"})
"""Signals of an app (celery/app/base.py), whose receivers get the app and may configure it."""


def _gen_task_name(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
    """``Celery.gen_task_name(name, module)``."""
    name, module = (plain(value) for value in (*args, kwargs.get("name"), kwargs.get("module"))[:2])
    return Val(f"{module}.{name}") if isinstance(name, str) and isinstance(module, str) else unknown(at.what)


class Apps(Configuring, Declaring):
    """What making an app does, and what its methods do."""

    def _make_app(self, it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        app = self._new_app(it, None, args, kwargs, at)
        self._init(it, app, args, kwargs, at)
        return Val(app)

    def _make_safe_app(self, it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        app = self._new_app(it, None, args, kwargs, at)
        app.safe = True
        app.main = args[0] if args else kwargs.get("name", NONE)
        for name, value in kwargs.items():
            if name in ("config", "conf") and isinstance(value.data, Table):
                for key, item in value.data.items.items():
                    self._set(it, app, str(key), item, at)
        return Val(app)

    def _new_app(self, it: Interpreter, cls: Class | None, args: list[Val], kwargs: dict[str, Val], at: Because) -> App:
        module = it.modules.by_path(at.file)
        app = App(module=module, line=at.line, cls=cls, main=NONE, kwargs=dict(kwargs))
        for earlier in self.apps:
            if earlier.module is module and earlier.line == at.line:
                return earlier
        self.apps.append(app)
        return app

    def _init(self, it: Interpreter, app: App, args: list[Val], kwargs: dict[str, Val], at: Because) -> None:
        """``Celery.__init__``."""
        given = dict(zip(_INIT, args, strict=False)) | kwargs
        app.main = given.pop("main", app.main)
        if "namespace" in given:
            app.namespace = given.pop("namespace")
        for parameter, setting in (("broker", "broker_url"), ("backend", "result_backend"), ("include", "include")):
            value = given.pop(parameter, None)
            if value is not None and value.data is not None:
                self._set(it, app, setting, value, at)
        changes = given.pop("changes", None)
        if changes is not None:
            self._update(it, app, [changes], {}, at)
        source = given.pop("config_source", None)
        if source is not None and source.data is not None:
            app.events.append(Event("source", "", source, at, None))
        base = given.pop("task_cls", None)
        if base is not None and base.data is not None:
            app.task_base = base
        for name, value in given.items():
            if name == "**":
                app.events.append(Event("open", "", value, at))
            elif name not in _INIT and name != "config_source_silent":
                self._set(it, app, name, value, at)

    def _app_attribute(self, it: Interpreter, value: Val, app: App, name: str, at: Because) -> Val | None:
        above = name.startswith("super ")
        name = name.removeprefix("super ")
        if not above:
            if name in app.attributes:
                return app.attributes[name]
            if app.cls is not None and name != "task_cls":
                found = attributes.class_attribute(it, app.cls, name, value, at)
                if found is not None and not isinstance(found.data, Ext):
                    return found
        if name == "__init__":

            def init(it: Interpreter, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
                self._init(it, app, args, kwargs, at)
                return NONE

            return Val(Native("Celery.__init__", init))
        if name == "conf":
            return Val(Conf(app))
        if name == "main":
            return app.main
        if name in ("Task", "task_cls"):
            return app.task_base or Val(Ext("celery.app.task.Task"))
        if name in _APP_METHODS:
            return Val(AppMethod(app, name))
        if name == "tasks":
            return Val(AppMethod(app, "tasks"))
        if name == "app" and app.safe:
            return value
        if name in _SIGNALS:
            return Val(AppMethod(app, name))
        if name == "gen_task_name":
            return Val(Native("Celery.gen_task_name", _gen_task_name))
        return Val(Ext(f"celery.Celery().{name}"))

    def _app_method(
        self, it: Interpreter, data: AppMethod, args: list[Val], kwargs: dict[str, Val], at: Because
    ) -> Val | None:
        app, name = data.app, data.name
        if name == "task":
            return self._task_call(it, "task", app, args, kwargs, at)
        if name == "signal.connect":
            if not args or not isinstance(args[0].data, Function):
                return Val(data)
            self.receivers.append((app, args[0].data))
            return args[0]
        if name == "config_from_object":
            namespace = kwargs.get("namespace", args[3] if len(args) > 3 else None)
            source = args[0] if args else kwargs.get("obj", unknown("config_from_object()"))
            app.events.append(Event("source", "", source, at, namespace, not it.uncertain))
            return NONE
        if name == "add_defaults" and args:
            source = args[0]
            if isinstance(source.data, Function | Bound | Partial):
                source = it.call(source, [], {}, at)
            app.events.append(Event("defaults", "", source, at))
            return NONE
        if name == "config_from_envvar":
            variable = plain(args[0]) if args else None
            named = it.environ.get(variable) if isinstance(variable, str) else None
            value = named if named is not None else unknown(f"environment variable {variable}", (), (at,))
            app.events.append(Event("source", "", value.depending((str(variable),)), at, None))
            return NONE
        if name in ("config_from_cmdline",):
            app.events.append(Event("open", "", unknown(at.what), at))
            return NONE
        if name in ("register_task", "tasks.register"):
            return self._register_call(it, app, args, at)
        if name == "add_defaults":
            return NONE
        if name == "add_periodic_task":
            self.periodic.append((app, args, kwargs, at))
            return NONE
        if name == "setup_security":
            self.security.append((app, at))
            return NONE
        if name == "create_task_cls":
            return app.task_base or Val(Ext("celery.app.task.Task"))
        if name == "conf.update":
            self._update(it, app, args, kwargs, at)
            return NONE
        if name == "conf.setdefault" and len(args) == 2:
            key = plain(args[0])
            if isinstance(key, str) and not any(e.kind == "set" and e.name == key for e in app.events):
                self._set(it, app, key, args[1], at)
            return args[1]
        if name == "conf.get":
            key = plain(args[0]) if args else None
            found = self._conf_attribute(it, Conf(app), key, at) if isinstance(key, str) else None
            return found if found is not None else unknown(at.what)
        return Val(ExtInstance(f"celery.Celery().{name}", args, kwargs))
