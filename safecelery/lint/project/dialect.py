"""Celery, Django and the environment, as the interpreter's dialect: what making an app or a task does.

Everything that declares a task ends in one of two places, :meth:`Dialect.declare` for functions and
:meth:`Dialect.register` for classes; everything that configures an app appends an :class:`Event`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes, environment
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import (
    NONE,
    Bound,
    Class,
    Ext,
    ExtInstance,
    Function,
    Instance,
    ModuleRef,
    Native,
    Partial,
    Table,
    Unknown,
    Val,
    unknown,
)
from safecelery.lint.project.django import DjangoSettings
from safecelery.lint.project.flask import CONFIG, FILES, FlaskConfig, is_flask_config
from safecelery.lint.project.names import (
    APP_CLASSES,
    CURRENT_APPS,
    LEGACY_TASK_CLASSES,
    SAFE_APPS,
    SAFE_TASKS,
    SHARED_TASKS,
    is_celery_class,
    looks_like_celery,
)
from safecelery.lint.project.objects import App, AppMethod, Conf, Event, Task, TaskDecorator, TaskMethod

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Dialect"]

_INIT: Final = (
    "main", "loader", "backend", "amqp", "events", "log", "control", "set_as_current", "tasks", "broker", "include",
    "changes", "config_source", "fixups", "task_cls", "autofinalize", "namespace", "strict_typing",
)  # fmt: skip
"""The parameters of ``Celery.__init__`` in order (celery/app/base.py)."""
_FLASK_METHODS: Final = frozenset({"from_object", "from_mapping", "update", "get", "from_prefixed_env", *FILES})
_APP_METHODS: Final = frozenset(
    ["task", "config_from_object", "config_from_envvar", "config_from_cmdline", "register_task", "autodiscover_tasks",
     "add_defaults", "send_task", "signature", "subclass_with_self", "create_task_cls", "finalize", "set_default",
     "set_current", "add_periodic_task", "setup_security", "start", "worker_main"]
)  # fmt: skip


class Dialect:
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
        self.held: dict[str, App] = {}
        """Apps that were put under a key into something that cannot be followed: ``registry["celery.app"] = app``."""
        self._seen: set[tuple[int, int, str]] = set()
        self.calls = {
            **dict.fromkeys(APP_CLASSES, self._make_app),
            **dict.fromkeys(SAFE_APPS, self._make_safe_app),
        }

    # --- protocol -----------------------------------------------------------------------------------------------

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
                return self._current(it) or Val(Ext("celery.current_app"))
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
        if isinstance(data, Task):
            return self._task_attribute(data, name)
        if isinstance(data, Ext):
            if data.name == "django.conf.settings":
                return self.django.attribute(it, name, at)
            if data.name in environment.ENVIRON:
                return environment.environ_method(name)
            if data.name in CURRENT_APPS:
                app = self._current(it)
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
        return self.flask.value(it, name, at) if _names_flask_config(data) else None

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

    def class_made(self, it: Interpreter, cls: Class) -> None:
        """Classes that register themselves: Celery 3's tasks, and SafeTask's."""
        if "run" not in cls.attributes and not any("task" in _raw_name(base).lower() for base in cls.bases):
            return
        bases = {base.name for base in cls.mro() if isinstance(base, Ext)}
        if not bases & (LEGACY_TASK_CLASSES | SAFE_TASKS) or not _has_run(cls):
            return
        if plain(cls.attributes.get("abstract")) is True:
            return
        legacy = bool(bases & LEGACY_TASK_CLASSES)
        self.register(it, cls, None, Because(cls.module.path, cls.line, f"class {cls.name}"), legacy=legacy)

    # --- apps ---------------------------------------------------------------------------------------------------

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

    def _current(self, it: Interpreter) -> Val | None:
        """``current_app``, if there is no doubt about which one."""
        return Val(self.apps[0]) if len(self.apps) == 1 else None

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
        return Val(Ext(f"celery.Celery().{name}"))

    def _app_method(
        self, it: Interpreter, data: AppMethod, args: list[Val], kwargs: dict[str, Val], at: Because
    ) -> Val | None:
        app, name = data.app, data.name
        if name == "task":
            return self._task_call(it, "task", app, args, kwargs, at)
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

    # --- configuration ------------------------------------------------------------------------------------------

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
            elif _names_flask_config(data):
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

    # --- tasks --------------------------------------------------------------------------------------------------

    def _task_call(
        self,
        it: Interpreter,
        form: str,
        app: App | None,
        args: list[Val],
        kwargs: dict[str, Val],
        at: Because,
        *,
        legacy: bool = False,
        unfollowed: bool = False,
    ) -> Val:
        decorator = TaskDecorator(form, app, dict(kwargs), legacy, unfollowed)
        first = args[0] if args else None
        if first is None or first.data is None or (isinstance(first.data, Ext) and first.data.name == "*"):
            return Val(decorator)
        if isinstance(first.data, Function | Bound | Partial | Class | Task):
            return self._decorate(it, decorator, [first], at) or first
        if first.is_unknown:
            return unknown(describe(first))
        return Val(decorator)

    def _decorate(self, it: Interpreter, decorator: TaskDecorator, args: list[Val], at: Because) -> Val | None:
        target = args[0].data if args else None
        if isinstance(target, Bound):
            target = target.function
        if isinstance(target, Function):
            return Val(self.declare(it, decorator, target, at))
        if isinstance(target, Class):
            task = self.register(it, target, decorator.app, at, options=decorator.options)
            return args[0] if task is None else Val(task)
        if isinstance(target, Task):
            return args[0]
        if isinstance(target, Instance):
            method = attributes.class_attribute(it, target.cls, "__call__", args[0], at)
            if method is not None and isinstance(method.data, Bound):
                return Val(self.declare(it, decorator, method.data.function, at))
        return None

    def declare(self, it: Interpreter, decorator: TaskDecorator, function: Function, at: Because) -> Task:
        """A task from a function."""
        origin = function.origin
        options = dict(decorator.options)
        opened = options.pop("**", None)
        name = plain(options.get("name"))
        key = (id(origin), id(decorator.app), name if isinstance(name, str) else "")
        task = Task(
            form=decorator.form,
            app=decorator.app,
            function=origin,
            cls=None,
            options=options,
            module=origin.module,
            line=origin.line,
            at=at,
            options_open=opened,
            legacy=decorator.legacy,
            unfollowed=decorator.unfollowed,
        )
        if key not in self._seen:
            self._seen.add(key)
            self.tasks.append(task)
        return task

    def register(
        self,
        it: Interpreter,
        cls: Class,
        app: App | None,
        at: Because,
        *,
        options: dict[str, Val] | object = None,
        legacy: bool = False,
    ) -> Task | None:
        """A task from a class."""
        given = options if isinstance(options, dict) else {}
        name = plain(given.get("name"))
        key = (id(cls), id(app), name if isinstance(name, str) else "")
        if key in self._seen:
            return None
        self._seen.add(key)
        for earlier in self.tasks:
            if earlier.cls is cls and earlier.app is None and app is not None:
                earlier.app = app  # a class that would have registered itself, had nobody done so
                earlier.options = {**earlier.options, **given}
                return earlier
        task = Task(
            form="class", app=app, function=None, cls=cls, options=given, module=cls.module, line=cls.line, at=at,
            legacy=legacy,
        )  # fmt: skip
        self.tasks.append(task)
        return task

    def _register_call(self, it: Interpreter, app: App, args: list[Val], at: Because) -> Val | None:
        if args and isinstance(args[0].data, Class) and any("__init__" in own for own in _own_names(args[0].data)):
            args = [it.call(args[0], [], {}, at)]  # Celery makes the instance itself
        target = args[0].data if args else None
        cls = target.cls if isinstance(target, Instance) else target
        if isinstance(cls, Class):
            own = target.attributes if isinstance(target, Instance) else {}
            options = {name: value for name, value in own.items() if name == "name" or self._is_option(name)}
            task = self.register(it, cls, app, at, options=options)
            return args[0] if task is None else Val(task)
        return args[0] if args else None

    def _task_attribute(self, task: Task, name: str) -> Val | None:
        if name in task.attributes:
            return task.attributes[name]
        if name in task.options:
            return task.options[name]
        if name in ("__name__", "__qualname__"):
            return Val(task.default_name)
        if name == "name":
            return task.options.get("name", Val(f"{task.module.name}.{task.default_name}"))
        if name in ("run", "__wrapped__") and task.function is not None:
            return Val(task.function)
        return Val(TaskMethod(task, name))

    def _is_option(self, name: str) -> bool:
        from safecelery.policy.vocabulary import TASK_OPTIONS

        return name in TASK_OPTIONS

    def _sounds_like_app(self, it: Interpreter, expression: str, at: Because) -> bool:
        """``X.task`` where X cannot be followed: is it Celery's?"""
        if looks_like_celery(expression):
            return True
        module = it.modules.by_path(at.file)
        return any(
            (node[0] == "from" and node[3].partition(".")[0] in ("celery", "safecelery"))
            or (node[0] == "imp" and any(dotted.partition(".")[0] == "celery" for dotted, _ in node[2]))
            for node in module.body
        )


def _names_flask_config(data: object) -> bool:
    """``app.config`` of Flask."""
    return is_flask_config(data.why if isinstance(data, Unknown) else data.name if isinstance(data, Ext) else "")


def _own_names(cls: Class) -> Iterator[dict[str, Val]]:
    """What each class of the tree among the bases binds."""
    return (base.attributes for base in cls.mro() if isinstance(base, Class))


def _raw_name(base: Val) -> str:
    """What the class statement calls the base."""
    data = base.data
    return str(getattr(data, "name", ""))


def _has_run(cls: Class) -> bool:
    return any(isinstance(base, Class) and "run" in base.attributes for base in cls.mro())
