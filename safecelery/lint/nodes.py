"""Python's syntax trees walked faster than ``ast.walk`` does, in the same order."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

__all__ = ["children", "statements_within", "walk"]

_PLAIN: Final = frozenset(
    [
        "ctx",
        "op",
        "ops",
        "type_comment",
        "id",
        "attr",
        "arg",
        "name",
        "asname",
        "names",
        "module",
        "level",
        "kind",
        "conversion",
        "simple",
        "is_async",
        "rest",
        "kwd_attrs",
        "tag",
    ]
)
"""Fields that hold no node but operators and contexts, in every type but those of :data:`_NAMING`."""
_NAMING: Final = (ast.Import, ast.ImportFrom)
_FIELDS: Final = {
    kind: tuple(field for field in kind._fields if field not in _PLAIN or (field == "names" and kind in _NAMING))
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
_BLOCKS: Final = ("body", "handlers", "orelse", "finalbody", "cases")


def children(node: ast.AST) -> list[ast.AST]:
    """As ``ast.iter_child_nodes``, without operators and contexts."""
    found: list[ast.AST] = []
    for field in _FIELDS[type(node)]:
        value = getattr(node, field, None)
        if type(value) is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """As ``ast.walk``, without operators and contexts."""
    todo = [node]
    for each in todo:  # grows meanwhile
        yield each
        todo += children(each)


def statements_within(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements below a node, in the order of ``ast.walk``: expressions, which hold none, are not entered."""
    todo: list[ast.AST] = [node]
    for each in todo:
        if each is not node and isinstance(each, ast.stmt):
            yield each
        for field in _BLOCKS:
            value = getattr(each, field, None)
            if type(value) is list:  # the body of a lambda is none
                todo += value
