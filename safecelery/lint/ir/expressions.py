"""Expressions in their reduced form."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from safecelery.lint.ir import Node

__all__ = ["Expressions"]

_LONGEST_TEXT = 4000
_LONGEST_SNIPPET = 60
_DEEPEST = 40  # levels of expression; deeper ones are generated data


class Expressions:
    """Reduces one expression after the other, each with all that is in it."""

    def __init__(self) -> None:
        self.depth = 0

    def expr(self, node: ast.expr) -> Node:
        build = _EXPRESSIONS.get(type(node))
        if build is None or self.depth > _DEEPEST:
            return self.unknown(node)
        self.depth += 1
        try:
            return build(self, node)
        finally:
            self.depth -= 1

    def exprs(self, nodes: list[ast.expr]) -> list[Node]:
        return [self.expr(node) for node in nodes]

    def maybe(self, node: ast.expr | None) -> Node | None:
        return None if node is None else self.expr(node)

    def unknown(self, node: ast.expr) -> Node:
        try:
            text = type(node).__name__ if self.depth > _DEEPEST else ast.unparse(node)
        except (RecursionError, ValueError):
            text = type(node).__name__
        if len(text) > _LONGEST_SNIPPET:
            text = text[: _LONGEST_SNIPPET - 3] + "..."
        return ["?", node.lineno, text]

    def constant(self, node: ast.Constant) -> Node:
        value = node.value
        if value is None or isinstance(value, bool | float):
            return ["k", node.lineno, value]
        if isinstance(value, int) and abs(value) < 1 << 128:
            return ["k", node.lineno, value]
        if isinstance(value, str) and len(value) <= _LONGEST_TEXT:
            return ["k", node.lineno, value]
        return ["?", node.lineno, f"a {type(value).__name__}"]

    def call(self, node: ast.Call) -> Node:
        return ["c", node.lineno, self.expr(node.func), self.exprs(node.args), self.keywords(node.keywords)]

    def keywords(self, keywords: list[ast.keyword]) -> list[Node]:
        return [[keyword.arg, self.expr(keyword.value)] for keyword in keywords]

    def dict(self, node: ast.Dict) -> Node:
        return ["d", node.lineno, [[self.maybe(k), self.expr(v)] for k, v in zip(node.keys, node.values, strict=True)]]

    def compare(self, node: ast.Compare) -> Node:
        parts = [[type(o).__name__, self.expr(c)] for o, c in zip(node.ops, node.comparators, strict=True)]
        return ["q", node.lineno, self.expr(node.left), parts]

    def joined(self, node: ast.JoinedStr) -> Node:
        parts: list[Node] = []
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                plain = value.format_spec is None and value.conversion in (-1, 115)
                parts.append(self.expr(value.value) if plain else self.unknown(value.value))
            else:
                parts.append(self.expr(value))
        return ["f", node.lineno, parts]

    def comprehension(self, kind: str, node: Any) -> Node:
        element = [self.expr(node.key), self.expr(node.value)] if kind == "d" else self.expr(node.elt)
        generators = [
            [self.expr(g.target), self.expr(g.iter), self.exprs(g.ifs)] for g in node.generators if not g.is_async
        ]
        if len(generators) != len(node.generators):
            return self.unknown(node)
        return ["comp", node.lineno, kind, element, generators]

    def parameters(self, arguments: ast.arguments) -> Node:
        plain = [*arguments.posonlyargs, *arguments.args]
        missing: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
        defaults = [*missing, *arguments.defaults, *arguments.kw_defaults]
        return [
            [argument.arg for argument in (*plain, *arguments.kwonlyargs)],
            len(plain),
            [self.maybe(default) for default in defaults],
            arguments.vararg.arg if arguments.vararg else None,
            arguments.kwarg.arg if arguments.kwarg else None,
        ]


_EXPRESSIONS: Final[dict[type, Callable[[Expressions, Any], Node]]] = {
    ast.Constant: Expressions.constant,
    ast.Name: lambda r, n: ["n", n.lineno, n.id],
    ast.Attribute: lambda r, n: ["a", n.lineno, r.expr(n.value), n.attr],
    ast.Call: Expressions.call,
    ast.Starred: lambda r, n: ["*", n.lineno, r.expr(n.value)],
    ast.Tuple: lambda r, n: ["t", n.lineno, r.exprs(n.elts)],
    ast.List: lambda r, n: ["l", n.lineno, r.exprs(n.elts)],
    ast.Set: lambda r, n: ["s", n.lineno, r.exprs(n.elts)],
    ast.Dict: Expressions.dict,
    ast.BinOp: lambda r, n: ["b", n.lineno, type(n.op).__name__, r.expr(n.left), r.expr(n.right)],
    ast.UnaryOp: lambda r, n: ["u", n.lineno, type(n.op).__name__, r.expr(n.operand)],
    ast.BoolOp: lambda r, n: ["o", n.lineno, type(n.op).__name__, r.exprs(n.values)],
    ast.Compare: Expressions.compare,
    ast.IfExp: lambda r, n: ["i", n.lineno, r.expr(n.test), r.expr(n.body), r.expr(n.orelse)],
    ast.Subscript: lambda r, n: ["x", n.lineno, r.expr(n.value), r.expr(n.slice)],
    ast.Slice: lambda r, n: ["sl", n.lineno, r.maybe(n.lower), r.maybe(n.upper), r.maybe(n.step)],
    ast.JoinedStr: Expressions.joined,
    ast.Lambda: lambda r, n: ["lam", n.lineno, r.parameters(n.args), r.expr(n.body)],
    ast.ListComp: lambda r, n: r.comprehension("l", n),
    ast.SetComp: lambda r, n: r.comprehension("s", n),
    ast.DictComp: lambda r, n: r.comprehension("d", n),
    ast.GeneratorExp: lambda r, n: r.comprehension("g", n),
    ast.NamedExpr: lambda r, n: ["w", n.lineno, n.target.id, r.expr(n.value)],
}
