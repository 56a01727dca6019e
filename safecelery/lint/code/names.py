"""What a dotted name means, by the module's imports alone."""

from __future__ import annotations

import ast
from typing import Final

__all__ = ["BUILTINS", "Names", "last_name", "spelled", "words"]


def words(text: str) -> frozenset[str]:
    """The words of a text, as a table to look in."""
    return frozenset(text.split())


BUILTINS: Final = words(
    "open print eval exec compile set frozenset list dict tuple range object complex bytes bytearray input breakpoint"
    " exit quit iter map filter zip memoryview __import__ Exception BaseException"
)
"""The builtins that detectors ask for."""


_SMALL: Final = 100
"""Nodes."""
_LONGEST: Final = 60


class Names:
    """An alias table: ``r`` -> ``requests`` after ``import requests as r``."""

    __slots__ = ("aliases",)

    def __init__(self, aliases: dict[str, str] | None = None) -> None:
        self.aliases: dict[str, str] = aliases or {}

    def learn(self, node: ast.Import | ast.ImportFrom) -> None:
        """Take in one import statement."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    self.aliases[alias.asname] = alias.name
                else:
                    root = alias.name.partition(".")[0]
                    self.aliases[root] = root
            return
        module = "." * node.level + (node.module or "")
        joint = "" if module.endswith(".") else "."
        for alias in node.names:
            self.aliases[alias.asname or alias.name] = f"{module}{joint}{alias.name}"

    def with_imports(self, imports: list[ast.Import | ast.ImportFrom]) -> Names:
        """The same names with those that a function imports for itself."""
        if not imports:
            return self
        names = Names(dict(self.aliases))
        for node in imports:
            names.learn(node)
        return names

    def resolve(self, node: ast.expr) -> str:
        """The full dotted name of an expression; "" unless it starts at an import or is one of :data:`BUILTINS`.

        ``requests.Session().get`` resolves to ``requests.Session().get``: a call in the middle keeps its brackets.
        """
        parts: list[str] = []
        while True:
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Call) and parts:
                parts.append("()")
                node = node.func
            else:
                break
        if not isinstance(node, ast.Name):
            return ""
        root = self.aliases.get(node.id)
        if root is None:
            return node.id if not parts and node.id in BUILTINS else ""
        if not parts:
            return root
        parts.append(root)
        parts.reverse()
        return ".".join(parts).replace(".()", "()")


def last_name(node: ast.expr) -> str:
    """``delay`` of ``a.b.delay``, ``x`` of ``x``, the called one of a call; "" for anything else."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def spelled(node: ast.AST) -> str:
    """The source of an expression, on one line and cut to 60 characters; "..." if it is too big to be shown.

    ``ast.unparse`` calls itself for each level, so what is handed to it must be small.
    """
    todo = [node]
    for count, part in enumerate(todo):
        todo += ast.iter_child_nodes(part)
        if count > _SMALL:
            return "..."
    text = ast.unparse(node).partition("\n")[0]
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
