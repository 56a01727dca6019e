"""Waiting for another task's result inside a task."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.names import last_name
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import is_result

__all__ = ["result_waited"]

_WAITS: Final = frozenset(("get", "join", "wait", "join_native", "get_leaf", "iter_native", "collect"))


def result_waited(body: Body) -> Iterator[Site]:
    """``.get()`` and its like on a result. Whoever says ``allow_join_result`` or ``disable_sync_subtasks`` knows."""
    for call in body.calls:
        func = call.node.func
        if call.attr not in _WAITS or not isinstance(func, ast.Attribute) or not is_result(body, func.value):
            continue
        if keyword(call.node, "disable_sync_subtasks") is not None or _allowed(body, call.node):
            continue
        yield Site("result-waited-in-task", call.node, f".{call.attr}() on the result of another task")


def _allowed(body: Body, node: ast.AST) -> bool:
    return any(
        isinstance(parent, ast.With | ast.AsyncWith)
        and any(last_name(item.context_expr) == "allow_join_result" for item in parent.items)
        for _, parent in body.ancestors(node)
    )
