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
    if tag == "n":
        return str(node[2])
    if tag == "a":
        return f"{describe_node(node[2])}.{node[3]}"
    if tag == "c":
        inside = ", ".join([*(describe_node(a) for a in node[3][:2]), *(f"{k or '**'}=..." for k, _ in node[4][:2])])
        return f"{describe_node(node[2])}({inside})"
    if tag == "x":
        return f"{describe_node(node[2])}[{describe_node(node[3])}]"
    if tag == "k":
        return repr(node[2])[:40]
    if tag == "?":
        return str(node[2])
    return {"t": "(...)", "l": "[...]", "d": "{...}", "f": "an f-string", "i": "... if ... else ..."}.get(tag, "...")
