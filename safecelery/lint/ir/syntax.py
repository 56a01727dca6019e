"""What is asked of Python's own syntax trees."""

from __future__ import annotations

import ast
from typing import TypeAlias

__all__ = ["AnyFunction", "first_line", "last_name", "lines_of_code"]

AnyFunction: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def lines_of_code(node: AnyFunction) -> int:
    """From the first statement to the last, a docstring left out."""
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1:
        first = node.body[1]
    return (node.end_lineno or first.lineno) - first.lineno


def first_line(node: ast.stmt) -> int:
    """Of its first decorator, if it has any."""
    first: int = node.lineno
    for decorator in getattr(node, "decorator_list", ()):
        first = min(first, decorator.lineno)
    return first
