"""Detectors: what the code of a module does that a rule of family 7 has an opinion on.

Each looks at the syntax of one function: no types, no other modules, names resolved through the module's imports only.
Whether a function is a task is not known here; a later stage joins sites with tasks by ``function``.
"""

from __future__ import annotations

import ast
from typing import Any, Final

from safecelery.lint.code.module import Module
from safecelery.lint.code.registry import ANYWHERE, DETECTORS, MODULE_DETECTORS, SENDING
from safecelery.lint.code.site import Site

__all__ = ["ANYWHERE", "SENDING", "detect"]

_EVERYWHERE: Final = tuple(detector for detector, anywhere in DETECTORS if anywhere)
_IN_TASKS: Final = tuple(detector for detector, _ in DETECTORS)


def detect(tree: ast.Module, source: str) -> list[dict[str, Any]]:
    """The sites of one module, in source order, ready for JSON.

    Each has ``kind``, ``line``, ``column`` (from 1, in characters), ``detail``, ``certain``, ``function`` (the line of
    the first decorator, or of the ``def``, of the outermost function that could be a task, else of the outermost
    function; 0 outside of functions) and ``class`` (the class it is a method of, or ""). Kinds that are not in
    :data:`ANYWHERE` count in tasks only. A tree of any shape gives an answer, never an exception, as long as
    ``ast.parse`` made it.
    """
    module = Module(tree, source)
    found: list[dict[str, Any]] = []
    for whole in MODULE_DETECTORS:
        found += [_row(site, 0, "", source) for site in whole(module)]
    seen: set[tuple[str, int]] = set()  # a task inside of a function is walked before, and again with, that function
    for body in module.bodies():
        first = min([body.function.lineno, *(decorator.lineno for decorator in body.function.decorator_list)])
        for detector in _IN_TASKS if body.task_like else _EVERYWHERE:
            for site in detector(body):
                if body.task_like or (site.kind in ANYWHERE and (site.kind, id(site.node)) not in seen):
                    seen.add((site.kind, id(site.node)))
                    found.append(_row(site, first, body.owner, source))
    found.sort(key=lambda row: (row["line"], row["column"], row["kind"]))
    return found


def _row(site: Site, function: int, owner: str, source: str) -> dict[str, Any]:
    line: int = getattr(site.node, "lineno", 1)
    offset: int = getattr(site.node, "col_offset", 0)
    return {
        "kind": site.kind,
        "line": line,
        "column": _characters(source, line, offset) + 1,
        "detail": site.detail,
        "certain": site.certain,
        "function": function,
        "class": owner,
    }


def _characters(source: str, line: int, offset: int) -> int:
    """``col_offset`` counts UTF-8 bytes; people count characters."""
    if source.isascii():
        return offset
    at = 0
    for _ in range(line - 1):
        at = source.find("\n", at) + 1
        if not at:
            return offset
    return len(source[at : at + offset].encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore"))
