"""Finding what a finding is about in the syntax tree: calls, constants and dicts at its line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from safecelery.lint.finding import Finding
from safecelery.lint.fix.source import Source

__all__ = ["calls_at", "last_name", "lines_of", "mentions", "nodes_at"]


def lines_of(finding: Finding) -> tuple[int, ...]:
    """The line of a finding, then those of its evidence in the same file."""
    return tuple(dict.fromkeys((finding.line, *(b.line for b in finding.because if b.file == finding.path and b.line))))


def nodes_at(source: Source, lines: tuple[int, ...]) -> Iterator[ast.expr]:
    """The expressions of the statements that are simple and on one of the lines."""
    for statement in source.simple_statements:
        if any(statement.lineno <= line <= (statement.end_lineno or 0) for line in lines):
            yield from (node for node in ast.walk(statement) if isinstance(node, ast.expr))


def calls_at(source: Source, line: int) -> list[ast.Call]:
    """The calls that begin on a line, or else those around it, innermost first."""
    calls = source.calls
    begin = [call for call in calls if line in (call.lineno, call.func.end_lineno)]
    around = [call for call in calls if call.lineno <= line <= (call.end_lineno or 0)]
    return begin or around[::-1]


def last_name(node: ast.expr) -> str:
    """``get`` of ``requests.get``; "" for what has no name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def mentions(finding: Finding, name: str) -> bool:
    """Whether the message speaks of a name."""
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", finding.message) is not None
