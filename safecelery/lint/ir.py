"""The reduced module: what of a module's code may matter to its tasks and settings, as plain lists.

A file is parsed once, reduced to this form, and the form is kept in the cache: it is JSON, so reading it back runs
nothing. The interpreter in ``lint/model`` works on it and on nothing else.

Every node is a list whose first item is its tag. Expressions carry their line second::

    ["k", line, value]                     text, number, True, False, None
    ["n", line, name]                      a name
    ["a", line, value, attribute]
    ["c", line, function, [argument], [[keyword or null, value]]]
    ["*", line, value]                     a starred argument or element
    ["t" | "l" | "s", line, [element]]     tuple, list, set
    ["d", line, [[key or null, value]]]    dict; null stands for **more
    ["b", line, operator, left, right]     binary operation, by the name of its ast class: "Add"
    ["u", line, operator, operand]
    ["o", line, "And" | "Or", [value]]
    ["q", line, left, [[operator, right]]] comparison
    ["i", line, test, body, orelse]        conditional expression
    ["x", line, value, index]              subscript
    ["sl", line, lower, upper, step]       slice, null for what is not there
    ["f", line, [part]]                    f-string
    ["lam", line, parameters, body]
    ["comp", line, "l" | "s" | "d" | "g", element or [key, value], [[target, iterable, [condition]]]]
    ["w", line, name, value]               walrus
    ["?", line, text]                      anything else, with a shortened source text for messages

and statements likewise::

    ["=", line, [target], value]           ["ann", line, target, annotation, value or null]
    ["aug", line, operator, target, value] ["e", line, expression]
    ["if", line, test, body, orelse]       ["for", line, target, iterable, body, orelse]
    ["while", line, test, body]            ["with", line, [[context, target or null]], body]
    ["try", line, body, [[types or null, name or null, body]], orelse, final]
    ["def", line of the first decorator, line of def, name, [decorator], parameters, body or null, asynchronous]
    ["class", line, line of class, name, [decorator], [base], [[keyword or null, value]], body]
    ["imp", line, [[module, as or null]]]  ["from", line, level, module, [[name, as or null]]]
    ["ret", line, value or null]           ["raise", line, exception or null]
    ["del", line, [target]]                ["glob", line, [name]]
    ["brk", line]                          break
    ["cont", line]                         continue
    ["match", line, subject, [body], [pattern]]   constants one of which fits; true: anything; null: not told

``parameters`` is ``[[name], number of positional-only and plain ones, [default], *args name or null, **kwargs name or
null]``, keyword-only names last; ``default`` is parallel to the names, null for none. A function's body is null where
it cannot matter: see :func:`_keeps_body`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeAlias

from safecelery.lint.mentions import (
    NETWORK,
    RETRYING,
    SENDING,
    TELLING,
    Lines,
    lines_of,
    mentioned,
    reads_results,
    within,
)

__all__ = ["IR_VERSION", "Node", "Reduced", "reduce_module"]

IR_VERSION: Final = 8
"""Raised whenever the form changes, so that no cache of an older one is used."""

Node: TypeAlias = list[Any]
Reduced: TypeAlias = dict[str, Any]

_LONGEST_TEXT = 4000
_LONGEST_SNIPPET = 60
_SHORT_BODY = 7  # lines: small enough to be kept without a reason
_LONG_BODY = 150  # lines: longer functions are no wrappers, factories or readers of the environment
_DEEPEST = 40  # levels of expression; deeper ones are generated data

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
    ]
)
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

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def reduce_module(tree: ast.Module, source: str) -> Reduced:
    """The module as ``{"body": [statement], "calls": [call], "talking": [...], "reads_results": ..., "words": [...]}``.

    ``talking`` are the decorated functions whose text talks to another machine, each ``[line of the first decorator,
    whether it calls retry itself]``. ``reads_results`` is true if the module reads results of tasks, null if it may;
    ``words`` are those of :data:`safecelery.lint.mentions.WORDS` that occur anywhere in it.
    ``calls`` are the places that send tasks from inside functions, each
    ``[line, column, line of the enclosing function's first decorator, [import statement of that function], call]``.
    """
    reducer = _Reducer(source)
    body = reducer.block(tree.body)
    lines = lines_of(source, SENDING)
    calls = _calls(tree, reducer, lines) if lines else []
    return {
        "body": body,
        "calls": calls,
        "talking": reducer.talking,
        "reads_results": reads_results(source),
        "words": mentioned(source),
    }


class _Reducer:
    def __init__(self, source: str) -> None:
        self.depth = 0
        self.lines = Lines(source)
        self.network = lines_of(source, NETWORK)
        self.retrying = lines_of(source, RETRYING) if self.network else []
        self.talking: list[Node] = []
        self.inside = 0  # functions around the current one whose body is kept

    # --- expressions --------------------------------------------------------------------------------------------

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

    # --- statements ---------------------------------------------------------------------------------------------

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

    def function(self, node: _Function) -> Node:
        body = None
        if self._keeps_body(node):
            self.inside += 1
            body = self.block(node.body)
            self.inside -= 1
        first = _first_line(node)
        last = node.end_lineno or node.lineno
        if node.decorator_list and self.network and within(self.network, node.lineno, last):
            self.talking.append([first, within(self.retrying, node.lineno, last)])
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

    def _keeps_body(self, node: _Function) -> bool:
        """Whether calling the function may make a task, configure an app or compute a setting."""
        lines = (node.end_lineno or node.lineno) - node.lineno
        if lines <= _SHORT_BODY or self.inside:
            return True
        if not node.decorator_list and _lines_of_code(node) <= _SHORT_BODY:
            return True
        if lines > _LONG_BODY:
            return False
        if node.decorator_list and not any(_last_name(d) in _TRANSPARENT for d in node.decorator_list):
            return False
        return self.lines.mention(TELLING, node.lineno, node.end_lineno or node.lineno)

    def class_(self, node: ast.ClassDef) -> Node:
        return [
            "class",
            _first_line(node),
            node.lineno,
            node.name,
            self.exprs(node.decorator_list),
            self.exprs(node.bases),
            self.keywords(node.keywords),
            self.block(node.body),
        ]

    def import_from(self, node: ast.ImportFrom) -> Node:
        return ["from", node.lineno, node.level, node.module or "", [[a.name, a.asname] for a in node.names]]


_EXPRESSIONS: Final[dict[type, Callable[[_Reducer, Any], Node]]] = {
    ast.Constant: _Reducer.constant,
    ast.Name: lambda r, n: ["n", n.lineno, n.id],
    ast.Attribute: lambda r, n: ["a", n.lineno, r.expr(n.value), n.attr],
    ast.Call: _Reducer.call,
    ast.Starred: lambda r, n: ["*", n.lineno, r.expr(n.value)],
    ast.Tuple: lambda r, n: ["t", n.lineno, r.exprs(n.elts)],
    ast.List: lambda r, n: ["l", n.lineno, r.exprs(n.elts)],
    ast.Set: lambda r, n: ["s", n.lineno, r.exprs(n.elts)],
    ast.Dict: _Reducer.dict,
    ast.BinOp: lambda r, n: ["b", n.lineno, type(n.op).__name__, r.expr(n.left), r.expr(n.right)],
    ast.UnaryOp: lambda r, n: ["u", n.lineno, type(n.op).__name__, r.expr(n.operand)],
    ast.BoolOp: lambda r, n: ["o", n.lineno, type(n.op).__name__, r.exprs(n.values)],
    ast.Compare: _Reducer.compare,
    ast.IfExp: lambda r, n: ["i", n.lineno, r.expr(n.test), r.expr(n.body), r.expr(n.orelse)],
    ast.Subscript: lambda r, n: ["x", n.lineno, r.expr(n.value), r.expr(n.slice)],
    ast.Slice: lambda r, n: ["sl", n.lineno, r.maybe(n.lower), r.maybe(n.upper), r.maybe(n.step)],
    ast.JoinedStr: _Reducer.joined,
    ast.Lambda: lambda r, n: ["lam", n.lineno, r.parameters(n.args), r.expr(n.body)],
    ast.ListComp: lambda r, n: r.comprehension("l", n),
    ast.SetComp: lambda r, n: r.comprehension("s", n),
    ast.DictComp: lambda r, n: r.comprehension("d", n),
    ast.GeneratorExp: lambda r, n: r.comprehension("g", n),
    ast.NamedExpr: lambda r, n: ["w", n.lineno, n.target.id, r.expr(n.value)],
}

_STATEMENTS: Final[dict[type, Callable[[_Reducer, Any], Node | None]]] = {
    ast.Assign: lambda r, n: ["=", n.lineno, r.exprs(n.targets), r.expr(n.value)],
    ast.AnnAssign: lambda r, n: ["ann", n.lineno, r.expr(n.target), r.expr(n.annotation), r.maybe(n.value)],
    ast.AugAssign: lambda r, n: ["aug", n.lineno, type(n.op).__name__, r.expr(n.target), r.expr(n.value)],
    ast.Expr: _Reducer.expression,
    ast.If: lambda r, n: ["if", n.lineno, r.expr(n.test), r.block(n.body), r.block(n.orelse)],
    ast.For: lambda r, n: ["for", n.lineno, r.expr(n.target), r.expr(n.iter), r.block(n.body), r.block(n.orelse)],
    ast.While: lambda r, n: ["while", n.lineno, r.expr(n.test), r.block(n.body)],
    ast.With: _Reducer.with_,
    ast.AsyncWith: _Reducer.with_,
    ast.Try: _Reducer.try_,
    ast.TryStar: _Reducer.try_,
    ast.FunctionDef: _Reducer.function,
    ast.AsyncFunctionDef: _Reducer.function,
    ast.ClassDef: _Reducer.class_,
    ast.Import: lambda r, n: ["imp", n.lineno, [[a.name, a.asname] for a in n.names]],
    ast.ImportFrom: _Reducer.import_from,
    ast.Return: lambda r, n: ["ret", n.lineno, r.maybe(n.value)],
    ast.Raise: lambda r, n: ["raise", n.lineno, r.maybe(n.exc)],
    ast.Delete: lambda r, n: ["del", n.lineno, r.exprs(n.targets)],
    ast.Global: lambda r, n: ["glob", n.lineno, n.names],
    ast.Nonlocal: lambda r, n: ["glob", n.lineno, n.names],
    ast.Break: lambda r, n: ["brk", n.lineno],
    ast.Continue: lambda r, n: ["cont", n.lineno],
    ast.Match: _Reducer.match,
}


def _calls(tree: ast.Module, reducer: _Reducer, lines: list[int]) -> list[Node]:
    """Every sending call below the module, with the imports of the function it stands in.

    ``lines`` are those on which one may begin: statements without any are not walked.
    """
    found: list[Node] = []

    def visit(node: ast.AST, function: int, imports: list[Node]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt) and not within(lines, _first_line(child), child.end_lineno or child.lineno):
                continue
            if isinstance(child, _Function):
                line = function or _first_line(child)
                visit(child, line, [*imports, *_local_imports(child, reducer)])
                continue
            if isinstance(child, ast.Call) and _last_name(child.func) in _DISPATCHERS:
                found.append([child.lineno, child.col_offset + 1, function, imports, reducer.call(child)])
            visit(child, function, imports)

    with suppress(RecursionError):  # then what was found so far; parsing meets the same depth and says so
        visit(tree, 0, [])
    return found


def _local_imports(function: _Function, reducer: _Reducer) -> list[Node]:
    return reducer.block([n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)])


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _lines_of_code(node: _Function) -> int:
    """From the first statement to the last, a docstring left out."""
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1:
        first = node.body[1]
    return (node.end_lineno or first.lineno) - first.lineno


def _first_line(node: ast.stmt) -> int:
    """Of its first decorator, if it has any."""
    first: int = node.lineno
    for decorator in getattr(node, "decorator_list", ()):
        first = min(first, decorator.lineno)
    return first
