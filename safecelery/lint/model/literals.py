"""Expressions that can be read without running them. Everything else is UNKNOWN."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from safecelery.policy.facts import UNKNOWN

__all__ = ["literal", "literal_mapping", "single_assignments"]


def literal(node: ast.expr) -> object:
    """A constant, or plain arithmetic on numbers such as ``5 * 60`` and ``-1``; else UNKNOWN."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = literal(node.operand)
        return -value if isinstance(value, int | float) else UNKNOWN
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        left, right = literal(node.left), literal(node.right)
        if isinstance(left, int | float) and isinstance(right, int | float):
            return _arithmetic(node.op, left, right)
    return UNKNOWN


def _arithmetic(operator: ast.operator, left: float, right: float) -> object:
    try:
        if isinstance(operator, ast.Add):
            return left + right
        return left - right if isinstance(operator, ast.Sub) else left * right
    except OverflowError:  # an int too large to meet a float: running the code would raise too
        return UNKNOWN


def literal_mapping(node: ast.expr) -> object:
    """A dict display with literal text as keys, its values as :func:`literal` reads them; else UNKNOWN."""
    if not isinstance(node, ast.Dict):
        return UNKNOWN
    found: dict[str, object] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = UNKNOWN if key is None else literal(key)  # None stands for **more
        if not isinstance(name, str):
            return UNKNOWN
        found[name] = literal(value)
    return found


def single_assignments(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """``a, b = 1, 2`` as pairs of target and value; None for a value that cannot be told apart."""
    if not isinstance(target, ast.Tuple | ast.List):
        yield target, value
    elif _matches(target, value):
        for element, part in zip(target.elts, value.elts, strict=True):  # type: ignore[attr-defined]
            yield from single_assignments(element, part)
    else:
        for node in ast.walk(target):
            if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
                yield node, None


def _matches(target: ast.Tuple | ast.List, value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Tuple | ast.List)
        and len(value.elts) == len(target.elts)
        and not any(isinstance(element, ast.Starred) for element in (*target.elts, *value.elts))
    )
