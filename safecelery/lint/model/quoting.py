"""Expressions as somebody would quote them."""

from __future__ import annotations

from safecelery.lint.ir import Node

__all__ = ["describe_node", "last_name"]


def last_name(node: Node) -> str | None:
    """The last name of a dotted one, calls left out: ``task`` of ``app.task(...)``."""
    while node[0] == "c":
        node = node[2]
    if node[0] == "a":
        return str(node[3])
    return str(node[2]) if node[0] == "n" else None


def describe_node(node: Node) -> str:
    """The expression, shortened, as somebody would quote it."""
    tag = node[0]
    if tag == "a":
        return f"{describe_node(node[2])}.{node[3]}"
    if tag == "n":
        return str(node[2])
    if tag == "c":
        return f"{describe_node(node[2])}({_arguments(node) if node[3] or node[4] else ''})"
    if tag == "x":
        return f"{describe_node(node[2])}[{describe_node(node[3])}]"
    if tag == "k":
        return repr(node[2])[:40]
    if tag == "?":
        return str(node[2])
    return {"t": "(...)", "l": "[...]", "d": "{...}", "f": "an f-string", "i": "... if ... else ..."}.get(tag, "...")


def _arguments(call: Node) -> str:
    keywords = [f"{keyword or '**'}=..." for keyword, _ in call[4][:2]]
    return ", ".join([*map(describe_node, call[3][:2]), *keywords])
