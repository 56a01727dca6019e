"""The effective options of a task, each with where it comes from.

Order of precedence (celery/app/base.py ``_task_from_fun``, celery/app/task.py ``Task.bind``): ``task_annotations``, the
declaration's options, the base class and its bases (``base=``, else the app's ``Task``), then the setting, where what
was found so far is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from safecelery.lint.finding import Because
from safecelery.lint.model.known import to_val
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import NONE, Class, Ext, ExtInstance, Function, Seq, Table, Unknown, Val, unknown
from safecelery.lint.project.conf import Configuration
from safecelery.lint.project.exceptions import canonical_exception
from safecelery.lint.project.names import KNOWN_BASES
from safecelery.lint.project.objects import App, Task
from safecelery.policy.facts import UNKNOWN

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter

__all__ = ["FROM_CONFIG", "Known", "Options", "exceptions"]

FROM_CONFIG: Final[Mapping[str, str]] = {
    "serializer": "task_serializer",
    "rate_limit": "task_default_rate_limit",
    "priority": "task_default_priority",
    "time_limit": "task_time_limit",
    "soft_time_limit": "task_soft_time_limit",
    "track_started": "task_track_started",
    "acks_late": "task_acks_late",
    "acks_on_failure_or_timeout": "task_acks_on_failure_or_timeout",
    "acks_on_failure": "task_acks_on_failure",
    "acks_on_timeout": "task_acks_on_timeout",
    "reject_on_worker_lost": "task_reject_on_worker_lost",
    "retry_on_worker_lost": "task_retry_on_worker_lost",
    "ignore_result": "task_ignore_result",
    "store_eager_result": "task_store_eager_result",
    "store_errors_even_if_ignored": "task_store_errors_even_if_ignored",
}
"""``Task.from_config``. Before 5.7 the worker applied the two time limits instead: to the same effect."""

_CLASS_DEFAULTS: Final[Mapping[str, Any]] = {"max_retries": 3, "default_retry_delay": 180, "typing": True}
"""Attributes of Celery's Task that are not None (celery/app/task.py)."""
_ACCESSORS: Final = frozenset({"property", "cached_property", "class_property"})


Known: TypeAlias = dict[tuple[int, tuple[Class | Ext | Unknown, ...]], dict[str, Val | None]]
"""What tasks declare, by task and base classes: no app has a say in that."""


class Options:
    """The options of one task under one app. ``known`` is what was looked up before, of this task and others."""

    def __init__(
        self, it: Interpreter, task: Task, app: App | None, conf: Configuration | None, known: Known | None = None
    ) -> None:
        self.it = it
        self.task = task
        self.app = app
        self.conf = conf
        self.bases = list(self._bases())
        self._name: str | None = None
        self.annotations = self._annotations()
        self._declared: dict[str, Val | None] = {}
        if known is not None and self.annotations == {}:
            self._declared = known.setdefault((id(task), tuple(self.bases)), self._declared)

    def _bases(self) -> list[Class | Ext | Unknown]:
        if self.task.cls is not None:
            return list(self.task.cls.mro())
        base = self.task.options.get("base")
        if base is None or base.data is None:
            base = self.app_base()
        return _order(self.it, base)

    def app_base(self) -> Val:
        """The class all tasks of the app derive from."""
        if self.app is None:
            return Val(Ext("celery.app.task.Task"))
        if self.app.task_base is not None:
            return self.app.task_base
        if self.app.cls is not None:
            for cls in self.app.cls.mro():
                if isinstance(cls, Class):
                    for name in ("Task", "task_cls"):
                        if name in cls.attributes:
                            return self.it.settle(cls.attributes[name])
        return Val(Ext("safecelery.SafeTask" if self.app.safe else "celery.app.task.Task"))

    def _annotations(self) -> dict[str, Val] | None:
        """What ``task_annotations`` says of this task; None if that cannot be told."""
        if self.conf is None:
            return {}
        value = self.conf.value("task_annotations")
        if value.data is None:
            return {}
        tables = value.data.items if isinstance(value.data, Seq) and not value.data.open else [value]
        if any(not isinstance(table.data, Table) or table.data.open for table in tables):
            return None if not value.is_unknown or self.conf.stated("task_annotations") else {}
        found: dict[str, Val] = {}
        for pattern in (self.name, "*"):  # what is for all tasks comes last, and wins (celery/app/annotations.py)
            entry = next((table.data.items[pattern] for table in tables if pattern in table.data.items), None)
            if entry is None:
                continue
            if not isinstance(entry.data, Table) or entry.data.open:
                return None
            found.update({str(key): item for key, item in entry.data.items.items()})
        return found

    @property
    def name(self) -> str:
        """The task's name."""
        if self._name is None:
            stated = plain(self.task.options.get("name", NONE))
            if stated is None and self.task.cls is not None:
                stated = plain(self.task.cls.attributes.get("name", NONE))
            self._name = stated if isinstance(stated, str) and stated else self._generate()
        return self._name

    def _generate(self) -> str:
        """``Celery.gen_task_name``, which a subclass may replace (celery/app/base.py)."""
        from safecelery.lint.model.protocols import Raised

        usual = f"{self.task.module.name}.{self.task.default_name}"
        for cls in self.app.cls.mro() if self.app is not None and self.app.cls is not None else ():
            method = cls.attributes.get("gen_task_name") if isinstance(cls, Class) else None
            if method is None:
                continue
            given = [Val(self.app), Val(self.task.default_name), Val(self.task.module.name)]
            try:
                made = plain(self.it.call(self.it.settle(method), given, {}, self.task.at))
            except Raised:
                return usual
            return made if isinstance(made, str) and made else usual
        return usual

    def declared(self, option: str) -> Val | None:
        """The option as the declaration or a base class states it; None if neither does."""
        if option not in self._declared:
            self._declared[option] = self._look_up(option)
        return self._declared[option]

    def _look_up(self, option: str) -> Val | None:
        if self.annotations is None:
            return unknown("task_annotations")
        if option in self.annotations:
            return self.annotations[option]
        if option in self.task.options:
            return self.task.options[option]
        if self.task.options_open is not None:
            opened = self.task.options_open
            return unknown(describe(opened), opened.env, opened.because)
        for base in self.bases:
            if isinstance(base, Class):
                found = base.attributes.get(option)
                if found is None:
                    continue
                found = self.it.settle(found)
                if isinstance(found.data, Function):
                    # A property may stand for any value; a method of that name is no option.
                    why = f"{base.name}.{option}, a {'property' if found.data.decorators else 'method'}"
                    return unknown(why, (), (Because(base.module.path, found.data.line, option),))
                return found
            if isinstance(base, Unknown):
                return unknown(f"base class {base.why}")
            known = KNOWN_BASES.get(base.name)
            if known is None:
                if _may_set_options(base.name):
                    return unknown(f"base class {base.name}, outside the tree")
            elif option in known:
                return Val(
                    to_val(known[option]).data, (), (Because("", 0, f"default of {base.name.rpartition('.')[2]}"),)
                )
        return None

    def effective(self, option: str) -> Val:
        """The option as the worker will see it."""
        found = self.declared(option)
        if found is not None and (found.is_unknown or found.data is not None):
            return found
        setting = FROM_CONFIG.get(option)
        if setting is not None:
            if self.conf is None:
                return unknown("the app of a shared task")
            value = self.conf.value(setting)
            return value if found is None else value.depending(found.env)
        if found is not None:
            return found
        return Val(_CLASS_DEFAULTS.get(option))

    def unknown_options(self, known: frozenset[str]) -> list[str] | None:
        """Options of the declaration that nobody reads: neither Celery nor a base class nor a wrapper."""
        if self.task.options_open is not None:
            return None
        strange = [name for name in self.task.options if name not in known]
        if not strange:
            return []
        read: set[str] = set()
        for base in self.bases:
            if isinstance(base, Class):
                read |= set(base.attributes)
                read |= {key.removeprefix("annotation ") for key in base.keywords}
                for function in base.module.functions:
                    if function.owner is base and function.body is not None:
                        read |= _names_read(function.body)
            elif isinstance(base, Unknown) or (isinstance(base, Ext) and base.name not in KNOWN_BASES):
                return None
        return sorted(name for name in strange if name not in read)


def _names_read(body: list[Any]) -> set[str]:
    """Attributes and text constants that a function mentions."""
    found: set[str] = set()
    stack: list[Any] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            if len(node) == 4 and node[0] == "a" and isinstance(node[3], str):
                found.add(node[3])
            elif len(node) == 3 and node[0] == "k" and isinstance(node[2], str):
                found.add(node[2])
            stack.extend(part for part in node if isinstance(part, list))
    return found


def _may_set_options(dotted: str) -> bool:
    lower = dotted.lower()
    return "task" in lower or "celery" in lower


def _order(it: Interpreter, base: Val) -> list[Class | Ext | Unknown]:
    data = base.data
    if isinstance(data, str):
        data = _by_name(it, data)
    if isinstance(data, Class):
        return list(data.mro())
    if isinstance(data, Ext | Unknown):
        return [data]
    return [Unknown(describe(base))]


def _by_name(it: Interpreter, text: str) -> Class | Ext | Unknown:
    """``"package.module:Class"`` (kombu.utils.imports.symbol_by_name)."""
    dotted, _, name = text.partition(":") if ":" in text else (*text.rpartition(".")[:2], text.rpartition(".")[2])
    for importer in it.modules.all_modules():
        module = it.find(dotted, importer)
        if module is None:
            return Ext(f"{dotted}.{name}")
        found = it.member(module, name)
        if found is not None and isinstance(found.data, Class | Ext):
            return found.data
        break
    return Unknown(text)


def exceptions(it: Interpreter, value: Val) -> tuple[str | object, ...] | object:
    """Dotted names of exception classes; UNKNOWN where the list, or one of them, cannot be told."""
    data = value.data
    if data is None:
        return ()
    if isinstance(data, Class | Ext):
        return (_exception(it, value),)
    if not isinstance(data, Seq) or data.open:
        return UNKNOWN
    return tuple(_exception(it, item) for item in data.items)


def _exception(it: Interpreter, value: Val) -> str | object:
    data = value.data
    if isinstance(data, str):  # out of the table of known bases
        return data
    if isinstance(data, Ext):
        return canonical_exception(data.name)
    if isinstance(data, Class):
        return data.dotted
    if isinstance(data, ExtInstance):
        return UNKNOWN
    return UNKNOWN
