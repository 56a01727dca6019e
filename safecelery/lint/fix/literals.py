"""Expressions in source that is about to be changed, read without running them. Everything else is UNKNOWN."""

from __future__ import annotations

import ast

from safecelery.policy.facts import UNKNOWN

__all__ = ["literal"]


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
