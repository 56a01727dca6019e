"""Certificates that nobody checks (2xx). Unsafe: without a CA that signed it, the connection then fails."""

from __future__ import annotations

import ast
import re
from typing import Final

from safecelery.lint.finding import Finding
from safecelery.lint.fix.edits import Edit, Fix
from safecelery.lint.fix.places import lines_of, nodes_at
from safecelery.lint.fix.rules.fixer import one
from safecelery.lint.fix.source import Source
from safecelery.policy.limits import Limits

__all__ = ["certificate"]

_LAX: Final = ("CERT_NONE", "CERT_OPTIONAL")
_KEYS: Final = ("ssl_cert_reqs", "cert_reqs")
_QUERY: Final = re.compile(r"(?<=ssl_cert_reqs=)(none|optional|CERT_NONE|CERT_OPTIONAL)(?=[&#'\"]|$)", re.IGNORECASE)


def certificate(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Require a certificate: ``ssl.CERT_REQUIRED``, or ``required`` in words and URLs."""
    fixes: list[Fix] = []
    for node in nodes_at(source, lines_of(finding)):
        edits: list[Edit] = []
        start, end = source.span(node)
        if isinstance(node, ast.Attribute) and node.attr in _LAX and source.text[:end].endswith(node.attr):
            edits = [Edit(end - len(node.attr), end, "CERT_REQUIRED")]
        elif isinstance(node, ast.Dict):
            edits = [
                edit
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and key.value in _KEYS
                for edit in _word(source, value)
            ]
        elif isinstance(node, ast.Call):
            edits = [edit for k in node.keywords if k.arg in _KEYS for edit in _word(source, k.value)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            edits = [
                Edit(start + match.start(), start + match.end(), "required")
                for match in _QUERY.finditer(source.text[start:end])
            ]
        fixes += one("require a certificate", tuple(edits), safe=False)
    return tuple(fixes)


def _word(source: Source, value: ast.expr) -> list[Edit]:
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return []
    if value.value.upper() not in (*_LAX, "NONE", "OPTIONAL"):
        return []
    start, end = source.span(value)
    text = source.text[start:end]
    if text[1:-1] != value.value:  # a prefix or triple quotes: not worth a guess
        return []
    word = "CERT_REQUIRED" if value.value.upper().startswith("CERT_") else "required"
    return [Edit(start + 1, end - 1, word)]
