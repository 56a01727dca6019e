"""Code that only runs when somebody calls it, and that nobody in the tree calls.

Functions that configure an app or declare tasks are taken to be called once at start-up, as such functions are.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from safecelery.lint.finding import Because
from safecelery.lint.ir import Node
from safecelery.lint.mentions import CONFIGURED, CONFIGURING
from safecelery.lint.model.interpreter import Interpreter
from safecelery.lint.model.protocols import Raised
from safecelery.lint.model.scope import Module
from safecelery.lint.model.values import Function, Val, unknown
from safecelery.lint.project.dialect import Dialect
from safecelery.lint.project.names import is_celery_class

__all__ = ["run_uncalled"]


_FILLING = frozenset({"from_object", "from_mapping"})
"""What fills Flask's configuration, which configures apps later."""
_FILLING_WORDS = frozenset({"from_object(", "lask"})
"""A module without any of them fills none."""


_CONFIGURING = frozenset(CONFIGURING)


def _run_receivers(it: Interpreter, dialect: Dialect) -> None:
    """Call what is connected to ``app.on_after_configure`` and its like and configures the app it is given."""
    for app, function in dialect.receivers:
        first = next(iter(function.parameters[0]), None)
        if first is None or function.called or not _configures(function.body or [], first):
            continue
        with suppress(Raised):
            at = Because(function.module.path, function.def_line, f"{function.name}()")
            it.call(Val(function), [Val(app)], {}, at)


def _configures(body: list[Any], name: str) -> bool:
    """The body speaks of ``name.conf``."""
    stack: list[Any] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            if len(node) == 4 and node[0] == "a" and node[3] == "conf" and node[2][0] == "n" and node[2][2] == name:
                return True
            stack.extend(node)
    return False


def run_uncalled(it: Interpreter, modules: list[Module]) -> None:
    """Call what nobody called and what configures apps or declares tasks, with arguments that are not known."""
    if isinstance(it.dialect, Dialect):
        _run_receivers(it, it.dialect)
    for wanted in (_FILLING, _CONFIGURING):
        for module in modules:
            if wanted is _FILLING and not _FILLING_WORDS.intersection(module.words):
                continue
            if wanted is _CONFIGURING and not module.record.ir.get("configures"):
                continue
            for function in list(module.functions):
                method_of_app = function.owner is not None and is_celery_class(function.owner)
                if function.called or function.body is None or not _acts(function.body, wanted, method_of_app):
                    continue
                at = Because(module.path, function.def_line, f"{function.name}()")
                names, positional, defaults = function.parameters[:3]
                given = [name for name, default in zip(names[:positional], defaults, strict=False) if default is None]
                args = [_argument(it, name, function) for name in given]
                try:
                    it.call(Val(function), args, {}, at)
                except Raised:
                    continue
                except RecursionError:
                    it.failures.append((module.path, function.def_line, f"{function.name}() is nested too deeply"))


def _argument(it: Interpreter, name: str, function: Function) -> Val:
    dialect = it.dialect
    if name == "self" and function.owner is not None and isinstance(dialect, Dialect):
        for app in dialect.apps:
            if app.cls is not None and function.owner in app.cls.mro():
                return Val(app)
    if name in ("self", "cls") and function.owner is not None:
        from safecelery.lint.model.values import Instance

        return Val(Instance(function.owner)) if name == "self" else Val(function.owner)
    if isinstance(dialect, Dialect) and len(dialect.apps) == 1 and ("celery" in name.lower() or name in ("sender",)):
        return Val(dialect.apps[0])
    return unknown(f"{name} of {function.name}()")


def _acts(body: list[Any], wanted: frozenset[str], method_of_app: bool) -> bool:
    """The body configures an app, or declares a task by a decorator inside."""
    stack: list[Any] = [node for node in body if type(node) is list]
    while stack:
        node = stack.pop()
        if not node:
            continue
        tag = node[0]
        if (tag == "n" or tag == "k") and len(node) == 3:
            continue  # half of all nodes: names and constants
        if tag == "def" and len(node) == 8 and wanted is _CONFIGURING:
            for decorator in node[4]:
                inner = decorator[2] if decorator[0] == "c" else decorator
                last = inner[3] if inner[0] == "a" else inner[2] if inner[0] == "n" else ""
                if isinstance(last, str) and last.endswith("task"):
                    return True
        elif tag == "=" and wanted is _FILLING and any(_is_item_of_config(target) for target in node[2]):
            return True
        elif tag == "a" and len(node) == 4 and isinstance(node[3], str):
            if node[3] in wanted or (node[3] == "update" and wanted is _FILLING and _is_config(node[2])):
                return True
            if (
                wanted is _CONFIGURING
                and node[3] in CONFIGURED
                and (_is_app_like(node[2]) or (method_of_app and node[2][0] == "n" and node[2][2] == "self"))
            ):
                return True
        for part in node:
            if type(part) is list:
                stack.append(part)  # noqa: PERF401 - several times as fast as a generator
    return False


def _is_config(node: Node) -> bool:
    """``app.config``, as Flask's applications have it."""
    return bool(node[0] == "a" and node[3] == "config")


def _is_item_of_config(node: Node) -> bool:
    """``app.config["CELERY"]``."""
    return node[0] == "x" and _is_config(node[2])


def _is_app_like(node: Node) -> bool:
    """``celery``, ``self.app``, ``registry["celery.app"]``."""
    if node[0] == "x":
        return node[3][0] == "k" and isinstance(node[3][2], str) and "celery" in node[3][2].lower()
    last = node[3] if node[0] == "a" else node[2] if node[0] == "n" else ""
    return isinstance(last, str) and ("celery" in last.lower() or last == "app")
