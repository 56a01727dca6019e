"""One function, walked once: its calls, statements and assignments in order, and who contains whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

from safecelery.lint.code.names import Names, last_name, words

if TYPE_CHECKING:
    from safecelery.lint.code.module import Module

__all__ = ["Body", "Called", "Function", "keyword"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Node = TypeVar("Node", bound=ast.AST)

# Fields that hold no code, or code that runs elsewhere: contexts, operators, annotations, plain names.
_SILENT: Final = words("""
    ctx op ops annotation returns type_comment type_params id attr arg name asname names module level kind conversion
    simple is_async rest kwd_attrs tag
    """)
_LEAVES: Final = frozenset((ast.Name, ast.Constant, ast.alias, ast.arg, ast.Pass, ast.Break, ast.Continue))
_FIELDS: Final = {
    kind: tuple(field for field in kind._fields if field not in _SILENT)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and kind is not ast.MatchSingleton
}
"""Node type -> its fields worth a look."""
_HOLEY: Final = frozenset((ast.Dict, ast.arguments))
"""Types with a list that may hold None: the key of ``**d``, a keyword without a default."""


class Called(NamedTuple):
    """One call."""

    node: ast.Call
    name: str
    """Resolved through the imports: ``requests.get``; "" if it does not start at an import."""
    attr: str
    """The last part of what is called: ``get``."""


class Body:
    """One outermost function with everything in it.

    ``task_like`` is False for a function that is only looked at for what counts outside of tasks too.
    """

    __slots__ = ("_values", "by_type", "calls", "function", "module", "names", "owner", "parents", "task_like")

    def __init__(self, function: Function, owner: str, module: Module, *, task_like: bool) -> None:
        self.function = function
        self.owner = owner
        """The class it is a method of, or ""."""
        self.module = module
        self.task_like = task_like
        self.parents: dict[ast.AST, ast.AST] = {}
        self.by_type: dict[type[ast.AST], list[ast.AST]] = {}
        self._walk()
        self.names: Names = module.names.with_imports([*self.of(ast.Import), *self.of(ast.ImportFrom)])
        resolve = self.names.resolve
        self.calls = [Called(node, resolve(node.func), last_name(node.func)) for node in self.of(ast.Call)]
        self._values: dict[str, list[tuple[int, ast.expr]]] | None = None

    def _walk(self) -> None:
        """In source order, so the lists of :meth:`of` are too."""
        parents, by_type = self.parents, self.by_type
        todo: list[ast.AST] = [self.function]
        while todo:
            node = todo.pop()
            kind = type(node)
            if kind in by_type:
                by_type[kind].append(node)
            else:
                by_type[kind] = [node]
            if kind in _LEAVES:
                continue
            children: list[ast.AST] = []
            for field in _FIELDS.get(kind, ()):
                value = getattr(node, field, None)
                if isinstance(value, list):
                    children += [item for item in value if item is not None] if kind in _HOLEY else value
                elif value is not None:
                    children.append(value)
            for child in children:
                parents[child] = node
            children.reverse()
            todo += children

    def of(self, kind: type[Node]) -> list[Node]:
        """Every node of a type, in source order."""
        return self.by_type.get(kind, [])  # type: ignore[return-value]

    def ancestors(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """(child, parent) from ``node`` upwards to the outermost function."""
        parents = self.parents
        while node is not self.function and node in parents:
            parent = parents[node]
            yield node, parent
            node = parent

    def ancestors_here(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """The same, up to and with the first function or lambda: what is around ``node`` when it runs."""
        for child, parent in self.ancestors(node):
            yield child, parent
            if isinstance(parent, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef):
                return

    def loop_around(self, node: ast.AST) -> ast.For | ast.AsyncFor | ast.While | None:
        """The innermost loop whose body runs ``node`` again and again."""
        for child, parent in self.ancestors_here(node):
            if isinstance(parent, ast.For | ast.AsyncFor | ast.While) and child in parent.body:
                return parent
        return None

    def statement_of(self, node: ast.AST) -> ast.stmt:
        """The statement an expression belongs to."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def inside(self, nodes: list[ast.stmt]) -> Iterator[ast.AST]:
        """Everything in a list of statements, without what nested functions and lambdas hold."""
        todo: list[ast.AST] = list(nodes)
        while todo:
            node = todo.pop()
            yield node
            if not isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                todo += ast.iter_child_nodes(node)

    @property
    def parameters(self) -> list[ast.arg]:
        """Every parameter of the function but ``*args`` and ``**kwargs``."""
        arguments = self.function.args
        return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]

    def value_of(self, node: ast.expr) -> ast.expr:
        """The expression a name was last bound to above; the expression itself if that cannot be told.

        A loop's target is answered with an ``ast.Starred`` around what is looped over, a ``with`` target with the
        context expression.
        """
        for _ in range(5):
            if not isinstance(node, ast.Name):
                return node
            line, name = node.lineno, node.id
            before = [value for at, value in self.values.get(name, ()) if at <= line and value is not node]
            if not before:
                return self.module.values.get(name, node) if name not in self.values else node
            latest = before[-1]
            if isinstance(latest, ast.Constant) and latest.value is ...:
                return node  # a parameter, or one of several targets of a loop
            if _around(latest, node):
                return node  # x = f(x)
            node = latest
        return node

    @property
    def values(self) -> dict[str, list[tuple[int, ast.expr]]]:
        """Name -> (line, value) of each simple binding, in order. A parameter is bound to itself."""
        if self._values is None:
            self._values = found = {}
            for parameter in self.parameters:
                itself: ast.expr = ast.Constant(..., lineno=parameter.lineno, col_offset=0)
                found[parameter.arg] = [(parameter.lineno, itself)]
            for target, value in self._bindings():
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append((target.lineno, value))
            for bindings in found.values():
                bindings.sort(key=lambda binding: binding[0])
        return self._values

    def _bindings(self) -> Iterator[tuple[ast.expr, ast.expr]]:
        for assign in self.of(ast.Assign):
            for target in assign.targets:
                yield target, assign.value
                if isinstance(target, ast.Tuple):
                    # x, created = get_or_create(...): the first of a tuple stands for the value of the call
                    pairs = (
                        zip(target.elts, assign.value.elts, strict=False)
                        if isinstance(assign.value, ast.Tuple)
                        else [(element, assign.value) for element in target.elts[:1]]
                    )
                    yield from pairs
        for annotated in self.of(ast.AnnAssign):
            if annotated.value is not None:
                yield annotated.target, annotated.value
        for named in self.of(ast.NamedExpr):
            yield named.target, named.value
        loops: list[ast.For | ast.AsyncFor | ast.comprehension] = [
            *self.of(ast.For),
            *self.of(ast.AsyncFor),
            *self.of(ast.comprehension),
        ]
        for loop in loops:
            target = loop.target
            yield target, ast.Starred(loop.iter, lineno=target.lineno, col_offset=target.col_offset)
            if isinstance(target, ast.Tuple):
                for element in target.elts:
                    yield element, ast.Constant(..., lineno=element.lineno, col_offset=element.col_offset)
        for item in self.of(ast.withitem):
            if item.optional_vars is not None:
                yield item.optional_vars, item.context_expr


def _around(outer: ast.expr, inner: ast.expr) -> bool:
    """``inner`` stands inside of ``outer``, by their places in the source."""
    start, end = (outer.lineno, outer.col_offset), (outer.end_lineno or 0, outer.end_col_offset or 0)
    return start <= (inner.lineno, inner.col_offset) < end


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument; None if it is not given by name."""
    for entry in call.keywords:
        if entry.arg == name:
            return entry.value
    return None
