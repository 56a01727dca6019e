"""The places inside functions that send tasks."""

from __future__ import annotations

import ast
from contextlib import suppress
from typing import Final

from safecelery.lint.ir import Node
from safecelery.lint.ir.statements import Reducer
from safecelery.lint.ir.syntax import AnyFunction, first_line, last_name
from safecelery.lint.mentions import within
from safecelery.lint.nodes import children, statements_within

__all__ = ["sending_calls"]

_DISPATCHERS: Final = frozenset(
    [
        "delay",
        "apply_async",
        "delay_on_commit",
        "apply_async_on_commit",
        "send_task",
        "signature",
        "subtask",
        "s",
        "si",
        "add_periodic_task",
    ]
)


def sending_calls(tree: ast.Module, reducer: Reducer, lines: list[int]) -> list[Node]:
    """Every sending call below the module, with the imports of the function it stands in.

    ``lines`` are those on which one may begin: statements without any are not walked.
    """
    found: list[Node] = []

    def visit(node: ast.AST, function: int, imports: list[Node]) -> None:
        for child in children(node):
            if isinstance(child, ast.stmt) and not within(lines, first_line(child), child.end_lineno or child.lineno):
                continue
            if isinstance(child, AnyFunction):
                line = function or first_line(child)
                visit(child, line, [*imports, *_local_imports(child, reducer)])
                continue
            if isinstance(child, ast.Call) and last_name(child.func) in _DISPATCHERS:
                found.append([child.lineno, child.col_offset + 1, function, imports, reducer.call(child)])
            visit(child, function, imports)

    with suppress(RecursionError):  # then what was found so far; parsing meets the same depth and says so
        visit(tree, 0, [])
    return found


def _local_imports(function: AnyFunction, reducer: Reducer) -> list[Node]:
    return reducer.block([n for n in statements_within(function) if isinstance(n, ast.Import | ast.ImportFrom)])
