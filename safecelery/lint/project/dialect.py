"""Celery, Django and the environment, as the interpreter's dialect: what making an app or a task does.

This is what the interpreter asks; the answers are in :mod:`safecelery.lint.project.apps`, ``configuring`` and
``declaring``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes, environment
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import (
    NONE,
    Class,
    Ext,
    ExtInstance,
    Unknown,
    Val,
    unknown,
)
from safecelery.lint.project.apps import Apps
from safecelery.lint.project.configuring import names_flask_config
from safecelery.lint.project.flask import CONFIG, FILES, is_flask_config
from safecelery.lint.project.names import (
    APP_CLASSES,
    CURRENT_APPS,
    LEGACY_TASK_CLASSES,
    SAFE_APPS,
    SHARED_TASKS,
    is_celery_class,
    looks_like_celery,
)
from safecelery.lint.project.objects import App, AppMethod, Conf, Event, Task, TaskDecorator, TaskMethod

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Dialect"]

_FLASK_METHODS: Final = frozenset({"from_object", "from_mapping", "update", "get", "from_prefixed_env", *FILES})


class Dialect(Apps):
    """One run's knowledge of apps and tasks, and what the interpreter asks of it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = {
            **dict.fromkeys(APP_CLASSES, self._make_app),
            **dict.fromkeys(SAFE_APPS, self._make_safe_app),
        }

    def call(self, it: Interpreter, function: Val, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val | None:
        """Carry out a call that is Celery's, Django's or the environment's."""
        data = function.data
        if isinstance(data, TaskDecorator):
            return self._decorate(it, data, args, at)
        if isinstance(data, AppMethod):
            return self._app_method(it, data, args, kwargs, at)
        if isinstance(data, TaskMethod | Task):
            return Val(ExtInstance("celery.result.AsyncResult", args, kwargs))
        if isinstance(data, Ext):
            made = self.calls.get(data.name)
            if made is not None:
                return made(it, args, kwargs, at)
            if data.name in SHARED_TASKS or data.name.endswith(".shared_task"):
                return self._task_call(
                    it, "shared_task", None, args, kwargs, at, legacy=data.name in LEGACY_TASK_CLASSES
                )
            if data.name.endswith((".task", ".periodic_task")) and looks_like_celery(data.name):
                return self._task_call(it, "external", None, args, kwargs, at)
            if data.name in CURRENT_APPS:
                return self.current() or Val(Ext("celery.current_app"))
            if data.name.startswith(CONFIG + "."):
                return self._flask_call(it, data.name, args, kwargs, at)
            if data.name.startswith("django."):
                return self.django.call(it, data.name, args, kwargs, at)
            if data.name.startswith("split_settings."):
                return self.django.include(it, data.name, args, at)
            return None
        if isinstance(data, Unknown) and data.why.endswith(".task") and self._sounds_like_app(it, data.why, at):
            return self._task_call(it, "external", None, args, kwargs, at, unfollowed=True)
        return None

    def create(self, it: Interpreter, cls: Class, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val | None:
        """An instance of a subclass of Celery."""
        if not is_celery_class(cls):
            return None
        app = self._new_app(it, cls, args, kwargs, at)
        if attributes.class_attribute(it, cls, "__init__", Val(app), at) is None:
            self._init(it, app, args, kwargs, at)
        return Val(app)

    def attribute(self, it: Interpreter, value: Val, name: str, at: Because) -> Val | None:
        """An attribute of one of ours, of ``django.conf.settings`` or of ``os.environ``."""
        data = value.data
        if isinstance(data, App):
            return self._app_attribute(it, value, data, name, at)
        if isinstance(data, Conf):
            return self._conf_attribute(it, data, name, at)
        if isinstance(data, AppMethod) and f"{data.name}.{name}" == "tasks.register":
            return Val(AppMethod(data.app, "tasks.register"))
        if isinstance(data, AppMethod) and data.name.startswith("on_") and name == "connect":
            return Val(AppMethod(data.app, "signal.connect"))
        if isinstance(data, Task):
            return self._task_attribute(data, name)
        if isinstance(data, Ext):
            if data.name == "django.conf.settings":
                return self.django.attribute(it, name, at)
            if data.name in environment.ENVIRON:
                return environment.environ_method(name)
            if data.name in CURRENT_APPS:
                app = self.current()
                return None if app is None else self.attribute(it, app, name, at)
            return None
        if isinstance(data, ExtInstance):
            found = environment.reader_method(data, name)
            if found is not None:
                return found
            if name == "config" and data.name.rpartition(".")[2] in ("Flask", "Quart"):
                return Val(Ext(CONFIG))
        if isinstance(data, Unknown) and is_flask_config(data.why) and name in _FLASK_METHODS:
            return Val(Ext(f"{CONFIG}.{name}"))
        return None

    def _flask_call(self, it: Interpreter, name: str, args: list[Val], kwargs: dict[str, Val], at: Because) -> Val:
        method = name.rpartition(".")[2]
        if method == "get":
            key = plain(args[0]) if args else None
            found = self.flask.value(it, key, at) if isinstance(key, str) else None
            return found if found is not None else unknown(at.what)
        self.flask.fill(it, method, args, kwargs)
        return NONE

    def assign(self, it: Interpreter, value: Val, name: str, to: Val, at: Because) -> bool:
        """Set an attribute of an app or of its configuration."""
        data = value.data
        if isinstance(data, Conf):
            self._set(it, data.app, name, to, at)
            return True
        if isinstance(data, App):
            if name in ("Task", "task_cls"):
                data.task_base = to
            elif name == "conf":
                data.events.append(Event("source", "", to, at, None, not it.uncertain))
            elif name == "namespace":
                data.namespace = to
            else:
                data.attributes[name] = to
            return True
        if isinstance(data, Task):
            if self._is_option(name):
                data.options = {**data.options, name: to}
            data.attributes[name] = to
            return True
        return isinstance(data, Ext) and data.name == "django.conf.settings"

    def item(self, it: Interpreter, value: Val, key: Val, at: Because) -> Val | None:
        """``os.environ[...]``, ``app.conf[...]``, ``app.config[...]`` of Flask."""
        data = value.data
        if isinstance(data, Ext) and data.name in environment.ENVIRON:
            return environment.environ_item(it, key, at)
        name = plain(key)
        if not isinstance(name, str):
            return None
        if name in self.held and isinstance(data, Unknown | Ext | ExtInstance):
            return Val(self.held[name])
        if isinstance(data, Conf):
            return self._conf_attribute(it, data, name, at)
        return self.flask.value(it, name, at) if names_flask_config(data) else None

    def assign_item(self, it: Interpreter, value: Val, key: Val, to: Val, at: Because) -> bool:
        """``app.conf[name] = value`` and ``os.environ[name] = value``."""
        data, name = value.data, plain(key)
        if isinstance(to.data, App) and isinstance(name, str) and isinstance(data, Unknown | Ext | ExtInstance):
            self.held[name] = to.data
        if isinstance(data, Conf):
            if isinstance(name, str):
                self._set(it, data.app, name, to, at)
            else:
                data.app.events.append(Event("open", "", unknown(describe(key), key.env, key.because), at))
            return True
        if isinstance(data, Ext) and data.name in environment.ENVIRON:
            if isinstance(name, str) and not it.uncertain:
                it.environ[name] = to
            return True
        if isinstance(data, Ext) and data.name == CONFIG and isinstance(name, str):
            self.flask.values[name] = to if not it.uncertain else unknown(f"app.config[{name!r}]", to.env, to.because)
            return True
        return False

    def has(self, it: Interpreter, value: Val, name: str) -> Val | None:
        """For ``hasattr`` and ``getattr`` with a default."""
        if isinstance(value.data, Ext) and value.data.name == "django.conf.settings":
            return self.django.has(it, name)
        return None
