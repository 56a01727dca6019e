"""Serializers (1xx). Unsafe: messages on their way, and arguments without a JSON form, are not read any more."""

from __future__ import annotations

import ast
import re
from typing import Final

from safecelery.lint.finding import Finding
from safecelery.lint.fix.arguments import replace_value
from safecelery.lint.fix.declaration import declaration_at
from safecelery.lint.fix.edits import Edit, Fix
from safecelery.lint.fix.places import calls_at, lines_of, nodes_at
from safecelery.lint.fix.rules.fixer import one
from safecelery.lint.fix.source import Source
from safecelery.policy.limits import Limits
from safecelery.policy.vocabulary import JSON_CONTENT

__all__ = ["accepted", "of_call", "of_task", "setting"]

_OTHERS: Final = re.compile(
    r"(application/)?(x-)?(python-serialize|pickle|yaml|msgpack|cloudpickle|dill|marshal)", re.IGNORECASE
)


def _is_other(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _OTHERS.fullmatch(node.value) is not None


def _json(source: Source, node: ast.expr) -> tuple[Edit, ...]:
    quote = source.text[source.span(node)[1] - 1]
    return replace_value(source, node, f"{quote}json{quote}")


def setting(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Write json where the setting names another serializer, if one is named there and only one."""
    nodes = [node for node in nodes_at(source, lines_of(finding)) if _is_other(node)]
    listed = _in_displays(source, finding)
    nodes = [node for node in nodes if id(node) not in listed]
    return one("use json", _json(source, nodes[0]), safe=False) if len(nodes) == 1 else ()


def _in_displays(source: Source, finding: Finding) -> set[int]:
    displays = (n for n in nodes_at(source, lines_of(finding)) if isinstance(n, ast.List | ast.Tuple | ast.Set))
    return {id(element) for display in displays for element in display.elts}


def accepted(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Leave json alone in a list of accepted content."""
    fixes: list[Fix] = []
    for node in nodes_at(source, lines_of(finding)):
        if not isinstance(node, ast.List | ast.Tuple | ast.Set) or not any(_is_other(e) for e in node.elts):
            continue
        names = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        start, end = source.span(node)
        text = source.text[start:end]
        if len(names) != len(node.elts) or "#" in text:
            continue  # an entry that cannot be read, or a comment that would go with it
        kept = [name for name in names if name in JSON_CONTENT] or ["json"]
        quote = "'" if "'" in text else '"'
        inside = ", ".join(f"{quote}{name}{quote}" for name in kept)
        if isinstance(node, ast.Tuple):
            inside += "," if len(kept) == 1 else ""
        bracketed = f"{text[0]}{inside}{text[-1]}" if text[0] in "([{" else inside
        fixes += one("accept json only", (Edit(start, end, bracketed),), safe=False)
    return tuple(fixes)


def of_task(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Write json in the task's own declaration."""
    declaration = declaration_at(source, finding.line)
    node = None if declaration is None else declaration.stated.get("serializer")
    return one("use json", _json(source, node), safe=False) if node is not None and _is_other(node) else ()


def of_call(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Write json in the call."""
    fixes: list[Fix] = []
    for call in calls_at(source, finding.line):
        for keyword in call.keywords:
            if keyword.arg == "serializer" and _is_other(keyword.value):
                fixes += one("use json", _json(source, keyword.value), safe=False)
    return tuple(fixes)
