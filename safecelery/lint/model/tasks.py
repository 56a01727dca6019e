"""Task declarations in one module's source, as facts.

Reads what is literally there and calls everything else UNKNOWN; the code is parsed, never imported. Understood are
``@app.task`` and ``@shared_task``, with or without options (taken to belong to a safecelery app), and classes derived
from SafeTask in the same module.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TypeAlias

from safecelery.lint.model.literals import literal, literal_mapping, single_assignments
from safecelery.policy.defaults import OPTION_SETTINGS, SAFETASK_DEFAULTS
from safecelery.policy.facts import UNKNOWN, Place, TaskFacts, Unknown
from safecelery.policy.vocabulary import TASK_MEMBERS, TASK_OPTIONS, TASK_OPTIONS_WITHHELD, misspelt_task_options

__all__ = ["read_tasks"]

_BASE = "SafeTask"
_CELERYS_RETRY_DELAY = 180  # celery/app/task.py, Task.default_retry_delay
_DECORATORS = ("task", "shared_task")
# What may change a declared option from outside: by name, through a dictionary, or as an attribute.
_REFLECTION = frozenset({"setattr", "delattr", "exec", "eval", "vars", "globals", "locals"})
_TOUCHED = frozenset(
    {
        *SAFETASK_DEFAULTS,
        "retry_kwargs",
        "default_retry_delay",
        "expires",
        "Task",
        "task_cls",
        "__class__",
        "__bases__",
        "__dict__",
    }
)

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class _Declared:
    """The options one declaration states, by name; ``open`` if there may be more that cannot be seen."""

    options: dict[str, object] = field(default_factory=dict)
    unknown: tuple[str, ...] | Unknown = ()
    open: bool = False
    runs: bool = False
    """A class: it, or a base, defines ``run``."""

    def forget(self) -> None:
        """What has been stated so far may no longer hold."""
        self.options, self.unknown, self.open = {}, UNKNOWN, True


def read_tasks(source: str, path: str, app_defaults: Mapping[str, object]) -> list[TaskFacts]:
    """The tasks declared in ``source``, in order.

    ``path`` names the file in places and, with slashes as dots, the module in task names. ``app_defaults`` holds the
    app's settings that tasks fall back to, by lower-case name; a setting that is not in it is UNKNOWN
    (:data:`safecelery.policy.defaults.CELERY_DEFAULTS` describes an app that states nothing).

    Raises SyntaxError (or ValueError, for a null byte) when the source cannot be parsed.
    """
    return list(_Module(ast.parse(source, filename=path), path, app_defaults).tasks())


class _Module:
    def __init__(self, tree: ast.Module, path: str, app_defaults: Mapping[str, object]) -> None:
        self.path = path
        self.app_defaults = app_defaults
        self.tree = tree
        self.bound = frozenset(_bound_names(tree))
        # Settings called annotations override options at registration, and so may code that reaches into a task.
        self.closed = app_defaults.get("task_annotations", UNKNOWN) is None and not _reaches_in(tree)
        parts = PurePath(path).with_suffix("").parts
        self.name = ".".join(part for part in parts if part not in ("/", ".", "..", "__init__"))
        self.classes: dict[str, _Declared | None] = {}

    def tasks(self) -> Iterator[TaskFacts]:
        declarations = [n for n in ast.walk(self.tree) if isinstance(n, _Function | ast.ClassDef)]
        for node in sorted(declarations, key=lambda node: node.lineno):
            declared = self._class(node) if isinstance(node, ast.ClassDef) else self._function(node)
            if declared is not None and declared.runs:
                yield self._facts(node, declared)

    def _function(self, node: _Function) -> _Declared | None:
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            if _last_name(call.func if call else decorator) in _DECORATORS:
                return self._decorator(call)
        return None

    def _decorator(self, call: ast.Call | None) -> _Declared:
        declared = _Declared(runs=True)
        if call is None:
            return declared
        for keyword in call.keywords:
            if keyword.arg is None:  # **OPTIONS
                declared.open = True
            else:
                declared.options[keyword.arg] = self._value(keyword.arg, keyword.value)
        if call.args or declared.options.get("base") is not None:
            declared.open = True  # any class may stand there, with any option
        strange = sorted(set(declared.options) - TASK_OPTIONS)
        inherited = any(name in TASK_MEMBERS or name in TASK_OPTIONS_WITHHELD for name in strange)
        declared.unknown = UNKNOWN if declared.open or inherited else tuple(strange)
        return declared

    def _class(self, node: ast.ClassDef) -> _Declared | None:
        """What a class states together with its bases; None if it is no SafeTask as far as can be seen."""
        bases = [self._base(base) for base in node.bases]
        known = [base for base in bases if base is not None]
        again = node.name in self.classes
        self.classes[node.name] = None
        if not known:
            return None
        only = known[0]
        declared = _Declared(dict(only.options), only.unknown, only.open, any(base.runs for base in known))
        if len(bases) > 1:
            declared.forget()  # a mixin may bring anything
        attributes: list[str] = []
        for statement in node.body:
            self._attribute(statement, declared, attributes)
        if node.decorator_list or node.keywords or any(isinstance(n, ast.NamedExpr) for n in ast.walk(node)):
            declared.forget()
        if not isinstance(declared.unknown, Unknown):
            declared.unknown = tuple(sorted({*declared.unknown, *misspelt_task_options(attributes)}))
        # Whoever derives from a name bound twice may mean either class.
        self.classes[node.name] = _Declared(unknown=UNKNOWN, open=True, runs=declared.runs) if again else declared
        return declared

    def _base(self, node: ast.expr) -> _Declared | None:
        if isinstance(node, ast.Subscript):  # SafeTask[P, R]
            node = node.value
        if isinstance(node, ast.Name) and node.id in self.classes:
            return self.classes[node.id]
        if _last_name(node) != _BASE:
            return None
        ours = isinstance(node, ast.Name) and _imported_from_safecelery(self.tree)
        return _Declared() if ours else _Declared(unknown=UNKNOWN, open=True)

    def _attribute(self, statement: ast.stmt, declared: _Declared, attributes: list[str]) -> None:
        """One statement of a class body."""
        pairs: list[tuple[ast.expr, ast.expr | None]] = []
        if isinstance(statement, _Function | ast.ClassDef):
            attributes.append(statement.name)
            declared.options[statement.name] = UNKNOWN  # a property may stand for any value
            declared.runs = declared.runs or statement.name == "run"
        elif isinstance(statement, ast.Assign):
            pairs = [pair for target in statement.targets for pair in single_assignments(target, statement.value)]
        elif isinstance(statement, ast.AnnAssign):
            pairs = [] if statement.value is None else [(statement.target, statement.value)]
        elif not isinstance(statement, ast.Pass) and not (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            declared.forget()
        for target, value in pairs:
            if isinstance(target, ast.Name):
                attributes.append(target.id)
                declared.options[target.id] = UNKNOWN if value is None else self._value(target.id, value)
            else:
                declared.forget()

    def _value(self, option: str, node: ast.expr) -> object:
        if option == "autoretry_for":
            return self._exceptions(node)
        return literal_mapping(node) if option == "retry_kwargs" else literal(node)

    def _exceptions(self, node: ast.expr) -> tuple[str | Unknown, ...] | Unknown:
        if not isinstance(node, ast.Tuple | ast.List) or any(isinstance(e, ast.Starred) for e in node.elts):
            return UNKNOWN
        return tuple(self._exception(element) for element in node.elts)

    def _exception(self, node: ast.expr) -> str | Unknown:
        # Only a builtin that the module does not bind is certain to be what its name says.
        if not isinstance(node, ast.Name) or node.id in self.bound or "*" in self.bound:
            return UNKNOWN
        found = getattr(builtins, node.id, None)
        return f"{found.__module__}.{found.__qualname__}" if isinstance(found, type) else UNKNOWN

    def _facts(self, node: _Function | ast.ClassDef, declared: _Declared) -> TaskFacts:
        def option(name: str) -> object:
            value = declared.options.get(name, UNKNOWN if declared.open else SAFETASK_DEFAULTS[name])
            if value is None and name in OPTION_SETTINGS:
                value = self.app_defaults.get(OPTION_SETTINGS[name], UNKNOWN)
            return value if self.closed else UNKNOWN

        exceptions = option("autoretry_for")
        # Automatic retries take the number from retry_kwargs, if it is there (celery/app/autoretry.py).
        retry_kwargs = declared.options.get("retry_kwargs", UNKNOWN if declared.open else {})
        max_retries = option("max_retries")
        name = declared.options.get("name")
        return TaskFacts(
            name=name if isinstance(name, str) else f"{self.name}.{node.name}",
            where=Place(self.path, node.lineno),
            serializer=option("serializer"),
            time_limit=option("time_limit"),
            soft_time_limit=option("soft_time_limit"),
            acks_late=option("acks_late"),
            reject_on_worker_lost=option("reject_on_worker_lost"),
            retry_on_worker_lost=option("retry_on_worker_lost"),
            autoretry_for=exceptions if isinstance(exceptions, tuple) else UNKNOWN,
            retry_backoff=option("retry_backoff"),
            retry_backoff_max=option("retry_backoff_max"),
            retry_jitter=option("retry_jitter"),
            max_retries=(
                retry_kwargs.get("max_retries", max_retries)
                if isinstance(retry_kwargs, dict) and self.closed
                else UNKNOWN
            ),
            unknown_options=declared.unknown if self.closed else UNKNOWN,
            retry_kwargs=retry_kwargs if isinstance(retry_kwargs, dict) and self.closed else UNKNOWN,
            default_retry_delay=self._plain(declared, "default_retry_delay", _CELERYS_RETRY_DELAY),
            expires_s=self._plain(declared, "expires", None),
        )

    def _plain(self, declared: _Declared, name: str, default: object) -> object:
        """An option that neither SafeTask nor a setting has a say in."""
        return declared.options.get(name, UNKNOWN if declared.open else default) if self.closed else UNKNOWN


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _bound_names(tree: ast.Module) -> Iterator[str]:
    """Every name that is bound anywhere in the module, whatever the scope; ``*`` for a star import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, _Function | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


def _imported_from_safecelery(tree: ast.Module) -> bool:
    """SafeTask is bound exactly once, by an import from this package."""
    imports = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "safecelery" and not node.level
        if any(alias.name == _BASE and alias.asname in (None, _BASE) for alias in node.names)
    ]
    return len(imports) == 1 and list(_bound_names(tree)).count(_BASE) == 1


def _reaches_in(tree: ast.Module) -> bool:
    """Does any code here set an option of a task from outside, or could it?"""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and node.attr in _TOUCHED:
            return True
        if isinstance(node, ast.Name) and node.id in _REFLECTION:
            return True
    return False
