"""Handlers that eat what should end the task: the soft time limit, and failures that a retry should see."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body
from safecelery.lint.code.names import last_name, spelled, words
from safecelery.lint.code.site import Site

__all__ = ["failure_swallowed", "soft_limit_eaten", "soft_limit_ignored"]

_SOFT: Final = "SoftTimeLimitExceeded"
_BROAD: Final = frozenset(("Exception", "BaseException"))
_HARMLESS: Final = words(
    "int float str bool len list dict tuple set sorted get items keys values append strip split format debug info"
)
_REPORTS: Final = words("""
    debug info warning warn error exception critical log print capture_exception capture_message print_exc format_exc
    send_exception str repr format join
    """)


def _caught(handler: ast.ExceptHandler) -> list[str]:
    """Last names of what a handler catches; ``BaseException`` for a bare one."""
    if handler.type is None:
        return ["BaseException"]
    if isinstance(handler.type, ast.Tuple):
        return [last_name(element) for element in handler.type.elts]
    return [last_name(handler.type)]


def _leaves(body: Body, handler: ast.ExceptHandler) -> bool:
    """Some path of the handler raises, returns or ends the loop."""
    for node in body.inside([*handler.body]):
        if isinstance(node, ast.Raise | ast.Return | ast.Break):
            return True
        # self.retry() raises; so do functions that say so in their name.
        if isinstance(node, ast.Call) and (
            last_name(node) in ("retry", "reraise", "exit", "abort") or "raise" in last_name(node)
        ):
            return True
    return False


def _leaves_after(body: Body, node: ast.AST, loop: ast.AST) -> bool:
    """What follows ``node`` ends the loop: a break, return or raise without condition."""
    for child, parent in body.ancestors_here(node):
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(parent, block, [])
            if isinstance(statements, list) and child in statements:
                after = statements[statements.index(child) + 1 :]
                if any(isinstance(statement, ast.Break | ast.Return | ast.Raise) for statement in after):
                    return True
        if parent is loop:
            break
    return False


def _tries(body: Body) -> Iterator[tuple[ast.Try | ast.TryStar, ast.ExceptHandler, list[str]]]:
    """Each handler with what it catches. What an earlier handler of the same try takes is left out."""
    tries: list[ast.Try | ast.TryStar] = [*body.of(ast.Try), *body.of(ast.TryStar)]
    for node in tries:
        earlier: set[str] = set()
        for handler in node.handlers:
            names = _caught(handler)
            if not (_SOFT in earlier and _BROAD.intersection(names)):
                yield node, handler, names
            earlier.update(names)


def soft_limit_ignored(body: Body) -> Iterator[Site]:
    """``except SoftTimeLimitExceeded`` inside a loop that goes on."""
    for node, handler, names in _tries(body):
        loop = body.loop_around(node)
        goes_on = loop is not None and not _leaves(body, handler) and not _leaves_after(body, node, loop)
        if _SOFT in names and goes_on:
            yield Site("soft-limit-ignored", handler, f"the loop goes on after {_SOFT}")


def soft_limit_eaten(body: Body) -> Iterator[Site]:
    """A broad handler inside a loop, or a bare one anywhere, that also takes the soft time limit and goes on."""
    for node, handler, names in _tries(body):
        if _leaves(body, handler) or not _works(body, node):
            continue
        loop = body.loop_around(node)
        told = "except:" if handler.type is None else f"except {spelled(handler.type)}:"
        if loop is not None and _BROAD.intersection(names) and not _leaves_after(body, node, loop):
            yield Site("soft-limit-eaten", handler, f"`{told}` in the loop of line {loop.lineno} takes {_SOFT} too")
        elif loop is None and "BaseException" in names and not _is_tail(body, node):
            yield Site("soft-limit-eaten", handler, f"`{told}` takes {_SOFT} too, and the task goes on")


def _works(body: Body, node: ast.Try | ast.TryStar) -> bool:
    """The guarded block calls something that may take its time."""
    return any(isinstance(inner, ast.Call) and last_name(inner) not in _HARMLESS for inner in body.inside([*node.body]))


def failure_swallowed(body: Body) -> Iterator[Site]:
    """The whole work of the task stands in a try whose broad handler only logs: a failure ends as a success."""
    total = _lines(body.function.body)
    for node, handler, names in _tries(body):
        if not _BROAD.intersection(names) or not _only_reports(body, handler) or not _is_tail(body, node):
            continue
        if 2 * _lines([node]) >= total:
            told = "except:" if handler.type is None else f"except {spelled(handler.type)}:"
            yield Site("failure-swallowed", handler, f"`{told}` around the task's work reports and goes on")


def _lines(statements: list[ast.stmt]) -> int:
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def _is_tail(body: Body, node: ast.AST) -> bool:
    """After ``node`` nothing else runs but a return: it ends the outermost function."""
    for child, parent in body.ancestors(node):
        if isinstance(parent, ast.For | ast.While | ast.AsyncFor | ast.ExceptHandler | ast.Lambda | ast.ClassDef):
            return False
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(parent, block, [])
            if isinstance(statements, list) and child in statements:
                after = statements[statements.index(child) + 1 :]
                if not all(isinstance(s, ast.Return | ast.Pass) or _is_log(s) for s in after):
                    return False
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return parent is body.function
    return False


def _is_log(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and last_name(node.value) in _REPORTS


def _only_reports(body: Body, handler: ast.ExceptHandler) -> bool:
    """pass, logging, and a return of nothing or a constant."""
    for node in handler.body:
        if isinstance(node, ast.Pass) or _is_log(node):
            continue
        if isinstance(node, ast.Return) and (node.value is None or isinstance(node.value, ast.Constant)):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        return False
    return True
