"""Statements in their reduced form, and what of functions may matter."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from safecelery.lint.decorators import NO_TASK
from safecelery.lint.ir import Node
from safecelery.lint.ir.expressions import Expressions
from safecelery.lint.ir.syntax import AnyFunction, first_line, last_name, lines_of_code
from safecelery.lint.mentions import NAMING, NETWORK, RETRYING, TELLING, Lines

__all__ = ["Reducer"]

_SHORT_BODY = 7  # lines: small enough to be kept without a reason
_LONG_BODY = 150  # lines: longer functions are no wrappers or readers of the environment, but may be factories

# Decorated functions are mostly tasks and views, whose bodies are for the detectors. These are not.
_TRANSPARENT = frozenset(
    [
        "property",
        "cached_property",
        "staticmethod",
        "classmethod",
        "lru_cache",
        "cache",
        "wraps",
        "contextmanager",
        "overload",
        "fixture",
        "connect",
    ]
)


class Reducer(Expressions):
    """Statements, and of functions what may matter."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.lines = Lines(source)
        self.talking: list[Node] = []
        self.inside = 0  # functions around the current one whose body is kept

    def block(self, statements: list[ast.stmt]) -> list[Node]:
        reduced = []
        for statement in statements:
            build = _STATEMENTS.get(type(statement))
            if build is not None:
                node = build(self, statement)
                if node is not None:
                    reduced.append(node)
        return reduced

    def expression(self, node: ast.Expr) -> Node | None:
        if isinstance(node.value, ast.Constant):  # a docstring
            return None
        return ["e", node.lineno, self.expr(node.value)]

    def try_(self, node: Any) -> Node:
        handlers = [[self.maybe(h.type), h.name, self.block(h.body)] for h in node.handlers]
        return [
            "try",
            node.lineno,
            self.block(node.body),
            handlers,
            self.block(node.orelse),
            self.block(node.finalbody),
        ]

    def match(self, node: ast.Match) -> Node:
        patterns = [None if case.guard is not None else self.pattern(case.pattern) for case in node.cases]
        return ["match", node.lineno, self.expr(node.subject), [self.block(c.body) for c in node.cases], patterns]

    def pattern(self, node: ast.pattern) -> list[Node] | bool | None:
        if isinstance(node, ast.MatchValue):
            return [self.expr(node.value)]
        if isinstance(node, ast.MatchSingleton):
            return [["k", node.lineno, node.value]]
        if isinstance(node, ast.MatchOr):
            parts = [self.pattern(part) for part in node.patterns]
            return [one for part in parts if isinstance(part, list) for one in part] if all(parts) else None
        return True if isinstance(node, ast.MatchAs) and node.pattern is None and node.name is None else None

    def with_(self, node: ast.With | ast.AsyncWith) -> Node:
        items = [[self.expr(item.context_expr), self.maybe(item.optional_vars)] for item in node.items]
        return ["with", node.lineno, items, self.block(node.body)]

    def function(self, node: AnyFunction) -> Node:
        body = None
        if self._keeps_body(node):
            self.inside += 1
            body = self.block(node.body)
            self.inside -= 1
        first = first_line(node)
        last = node.end_lineno or node.lineno
        may_be_a_task = any(last_name(decorator) not in NO_TASK for decorator in node.decorator_list)
        if may_be_a_task and self.lines.mention(NETWORK, node.lineno, last):
            self.talking.append([first, self.lines.mention(RETRYING, node.lineno, last)])
        return [
            "def",
            first,
            node.lineno,
            node.name,
            self.exprs(node.decorator_list),
            self.parameters(node.args),
            body,
            isinstance(node, ast.AsyncFunctionDef),
        ]

    def _keeps_body(self, node: AnyFunction) -> bool:
        """Whether calling the function may make a task, configure an app or compute a setting."""
        lines = (node.end_lineno or node.lineno) - node.lineno
        if lines <= _SHORT_BODY or self.inside:
            return True
        if not node.decorator_list and lines_of_code(node) <= _SHORT_BODY:
            return True
        if lines > _LONG_BODY and (
            node.decorator_list or not self.lines.mention(NAMING, node.lineno, node.end_lineno or node.lineno)
        ):
            return False
        if node.decorator_list and not any(last_name(d) in _TRANSPARENT for d in node.decorator_list):
            return False
        return self.lines.mention(TELLING, node.lineno, node.end_lineno or node.lineno)

    def class_(self, node: ast.ClassDef) -> Node:
        return [
            "class",
            first_line(node),
            node.lineno,
            node.name,
            self.exprs(node.decorator_list),
            self.exprs(node.bases),
            self.keywords(node.keywords),
            self.block(node.body),
        ]

    def import_from(self, node: ast.ImportFrom) -> Node:
        return ["from", node.lineno, node.level, node.module or "", [[a.name, a.asname] for a in node.names]]


_STATEMENTS: Final[dict[type, Callable[[Reducer, Any], Node | None]]] = {
    ast.Assign: lambda r, n: ["=", n.lineno, r.exprs(n.targets), r.expr(n.value)],
    ast.AnnAssign: lambda r, n: ["ann", n.lineno, r.expr(n.target), r.expr(n.annotation), r.maybe(n.value)],
    ast.AugAssign: lambda r, n: ["aug", n.lineno, type(n.op).__name__, r.expr(n.target), r.expr(n.value)],
    ast.Expr: Reducer.expression,
    ast.If: lambda r, n: ["if", n.lineno, r.expr(n.test), r.block(n.body), r.block(n.orelse)],
    ast.For: lambda r, n: ["for", n.lineno, r.expr(n.target), r.expr(n.iter), r.block(n.body), r.block(n.orelse)],
    ast.While: lambda r, n: ["while", n.lineno, r.expr(n.test), r.block(n.body)],
    ast.With: Reducer.with_,
    ast.AsyncWith: Reducer.with_,
    ast.Try: Reducer.try_,
    ast.TryStar: Reducer.try_,
    ast.FunctionDef: Reducer.function,
    ast.AsyncFunctionDef: Reducer.function,
    ast.ClassDef: Reducer.class_,
    ast.Import: lambda r, n: ["imp", n.lineno, [[a.name, a.asname] for a in n.names]],
    ast.ImportFrom: Reducer.import_from,
    ast.Return: lambda r, n: ["ret", n.lineno, r.maybe(n.value)],
    ast.Raise: lambda r, n: ["raise", n.lineno, r.maybe(n.exc)],
    ast.Delete: lambda r, n: ["del", n.lineno, r.exprs(n.targets)],
    ast.Global: lambda r, n: ["glob", n.lineno, n.names],
    ast.Nonlocal: lambda r, n: ["glob", n.lineno, n.names],
    ast.Break: lambda r, n: ["brk", n.lineno],
    ast.Continue: lambda r, n: ["cont", n.lineno],
    ast.Match: Reducer.match,
}
