"""The module level of a parsed module: what it imports, and the text of what it defines."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["Definition", "Outline", "outline_of"]


class Definition:
    """A function, a class or an assignment at module level."""

    __slots__ = ("body", "decorators", "head", "name", "what")

    def __init__(self, what: str, name: str, decorators: str, head: str, body: str) -> None:
        self.what = what
        """``def``, ``class`` or ``=``."""
        self.name = name
        self.decorators = decorators
        self.head = head
        """The bases of a class."""
        self.body = body


class Outline:
    """The module level of a parsed module: what it imports, and the text of what it defines."""

    __slots__ = ("defined", "imported")

    def __init__(self) -> None:
        self.imported: list[tuple[str, str, str]] = []
        """Local name, whole name of the module, name in it ("" for the module itself, "*" for all)."""
        self.defined: list[Definition] = []


def outline_of(tree: ast.Module, source: str) -> Outline:
    """Collect the outline, also from inside ``if``, ``try`` and ``with`` at module level."""
    outline = Outline()
    lines = source.split("\n")
    for node in _module_level(tree.body):
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            outline.imported += [(alias.asname or alias.name, module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            outline.imported += [(alias.asname or alias.name, alias.name, "") for alias in node.names]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            outline.defined.append(_definition(node, lines))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno]).partition("=")[2]
            outline.defined += [
                Definition("=", target.id, "", "", text) for target in targets if isinstance(target, ast.Name)
            ]
    return outline


def _module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _module_level(node.body)
            for handler in getattr(node, "handlers", ()):
                yield from _module_level(handler.body)
            yield from _module_level(getattr(node, "orelse", []))
            yield from _module_level(getattr(node, "finalbody", []))


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lines: list[str]) -> Definition:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    decorators = "\n".join(lines[first - 1 : node.lineno - 1])
    body = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    if not isinstance(node, ast.ClassDef):
        return Definition("def", node.name, decorators, "", body)
    bases = ""
    if node.bases:
        bases = "\n".join(lines[node.lineno - 1 : node.bases[-1].end_lineno]).partition("(")[2]
    return Definition("class", node.name, decorators, bases, body)
