"""Tasks declared. All ways end in one of two places: :meth:`Declaring.declare` for functions,
:meth:`Declaring.register` for classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import (
    Bound,
    Class,
    Ext,
    Function,
    Instance,
    Partial,
    Val,
    unknown,
)
from safecelery.lint.project.knowledge import Knowledge
from safecelery.lint.project.names import (
    LEGACY_TASK_CLASSES,
    SAFE_TASKS,
    looks_like_celery,
)
from safecelery.lint.project.objects import App, Task, TaskDecorator, TaskMethod

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["Declaring"]


class Declaring(Knowledge):
    """Decorators, classes and calls that make tasks, and what a task answers when asked."""

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
        if key not in self.seen:
            self.seen.add(key)
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
        if key in self.seen:
            return None
        self.seen.add(key)
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


def _own_names(cls: Class) -> Iterator[dict[str, Val]]:
    """What each class of the tree among the bases binds."""
    return (base.attributes for base in cls.mro() if isinstance(base, Class))


def _raw_name(base: Val) -> str:
    """What the class statement calls the base."""
    data = base.data
    return str(getattr(data, "name", ""))


def _has_run(cls: Class) -> bool:
    return any(isinstance(base, Class) and "run" in base.attributes for base in cls.mro())
