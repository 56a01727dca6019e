"""Celery's own objects as the interpreter meets them: apps, their configuration, tasks, decorators that wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from safecelery.deferred import dataclass
from safecelery.lint.finding import Because
from safecelery.lint.model.values import Class, Function, Val

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter
    from safecelery.lint.model.scope import Module

__all__ = ["App", "AppMethod", "Conf", "Event", "Task", "TaskDecorator", "TaskMethod"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing done to an app's configuration, in order."""

    kind: str
    """"set" (one setting), "open" (settings that cannot be seen), "source" (``config_from_object``) "defaults"
    (``add_defaults``) or "flask" (everything in Flask's configuration)."""
    name: str
    value: Val
    at: Because
    namespace: Val | None = None
    certain: bool = True
    """False: in a branch that may not be taken."""


@dataclass(slots=True, eq=False)
class App:
    """One Celery application."""

    module: Module
    line: int
    cls: Class | None
    """The subclass of the tree it is made from."""
    main: Val
    safe: bool = False
    """Made by safecelery's ``create_app``."""
    events: list[Event] = field(default_factory=list)
    task_base: Val | None = None
    """What ``app.Task`` is, if somebody said so."""
    namespace: Val | None = None
    attributes: dict[str, Val] = field(default_factory=dict)
    kwargs: Mapping[str, Val] = field(default_factory=dict)
    variable: str = ""
    """The name it is bound to."""

    @property
    def label(self) -> str:
        """What findings call it."""
        name = self.main.data
        return name if isinstance(name, str) and name else self.variable or self.module.name


@dataclass(frozen=True, slots=True, eq=False)
class AppMethod:
    """``app.task``, ``app.config_from_object`` and the like."""

    app: App
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Conf:
    """``app.conf``."""

    app: App


@dataclass(slots=True, eq=False)
class TaskDecorator:
    """``@app.task(...)``: options given, function to come. ``app`` is None for ``shared_task``."""

    form: str
    app: App | None
    options: Mapping[str, Val]
    legacy: bool = False
    unfollowed: bool = False
    """The tree does not tell which app it is of, but nothing says that the app is not in the tree."""


@dataclass(slots=True, eq=False)
class Task:
    """One task declaration."""

    stays_when_decorated: ClassVar[bool] = True

    form: str
    """"task" (``@app.task``), "shared_task", "class" or "external" (an app that is not in the tree)."""
    app: App | None
    function: Function | None
    cls: Class | None
    options: Mapping[str, Val]
    module: Module
    """Where the function, or the class, was written."""
    line: int
    at: Because
    """The decorator."""
    options_open: Val | None = None
    """Why there may be options that cannot be seen."""
    legacy: bool = False
    attributes: dict[str, Val] = field(default_factory=dict)
    unfollowed: bool = False
    """See :class:`TaskDecorator`."""

    @property
    def stands_for(self) -> Function | None:
        """The function, for ``functools.wraps``."""
        return self.function

    @property
    def default_name(self) -> str:
        """The last part of the name Celery would generate."""
        return self.function.name if self.function is not None else self.cls.name if self.cls else ""

    def has(self, it: Interpreter, name: str) -> bool | None:
        """For ``hasattr``."""
        return True if name in _TASK_MEMBERS else None


_TASK_MEMBERS = frozenset({"delay", "apply_async", "s", "si", "signature", "run", "name", "apply", "retry", "request"})


@dataclass(frozen=True, slots=True, eq=False)
class TaskMethod:
    """``task.delay`` and the like."""

    task: Task
    name: str
    extra: Any = None
