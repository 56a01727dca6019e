"""Syntax newer than the host's Python, spelled as an older parser reads it: a table of repairs.

Each repair works on the whole module, found in the text whose strings and comments are blanked out, and keeps every
line where it is. Only modules that the host's parser refused come here, so nothing is ever changed in a module that
is fine. What the spelling means stays, but for type parameters, which are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from safecelery.lint.source.formatted import older_strings
from safecelery.lint.source.strings import blanked

__all__ = ["REPAIRS", "older_syntax"]

_Edit = tuple[int, int, str]
"""Start, end, replacement."""

_EXCEPT = re.compile(r"^[ \t]*except\b[ \t]*\*?", re.MULTILINE)
_TYPE = re.compile(r"(?:^|;)[ \t]*type([ \t]+)[^\W\d]\w*[ \t]*(?=[=\[])", re.MULTILINE)
_GENERIC = re.compile(r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+[^\W\d]\w*[ \t]*(?=\[)", re.MULTILINE)
_LAZY = re.compile(r"^[ \t]*lazy([ \t]+)(?:import|from)\b", re.MULTILINE)


def older_syntax(source: str) -> str:
    """The module in the spelling of Python 3.11; the same text if nothing of the table is in it."""
    source = older_strings(source)
    plain = blanked(source)
    edits = sorted(edit for repair in REPAIRS.values() for edit in repair(plain))
    parts: list[str] = []
    at = 0
    for start, end, replacement in edits:
        if start < at:
            continue
        parts += (source[at:start], replacement)
        at = end
    parts.append(source[at:])
    return "".join(parts)


def _bare_exceptions(plain: str) -> Iterator[_Edit]:
    """``except A, B:`` is ``except (A, B):`` (PEP 758)."""
    for match in _EXCEPT.finditer(plain):
        start = match.end()
        comma, end = _header(plain, start)
        if comma and end:
            start += len(plain[start:end]) - len(plain[start:end].lstrip())
            yield start, start, " (" if plain[start - 1] == "t" else "("
            yield end, end, ")"


def _header(plain: str, at: int) -> tuple[bool, int]:
    """Whether a comma stands outside brackets before the colon, and where the colon is; 0 if there is none."""
    depth = 0
    comma = False
    while at < len(plain):
        char = plain[at]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth == 0 and char == ",":
            comma = True
        elif depth == 0 and char == ":":
            return comma, at
        elif depth == 0 and char == "\n":
            break
        at += 1
    return False, 0


def _type_statements(plain: str) -> Iterator[_Edit]:
    """``type X[T] = Y`` is ``X = Y`` (PEP 695); ``type`` is left as a statement of its own, to keep the columns."""
    for match in _TYPE.finditer(plain):
        yield match.start(1), match.start(1) + 1, ";"
        yield from _without_brackets(plain, match.end())


def _type_parameters(plain: str) -> Iterator[_Edit]:
    """``def f[T](x)`` and ``class C[T]:`` lose what stands in the brackets (PEP 695, PEP 696)."""
    for match in _GENERIC.finditer(plain):
        yield from _without_brackets(plain, match.end())


def _without_brackets(plain: str, start: int) -> Iterator[_Edit]:
    if plain[start : start + 1] != "[":
        return
    depth = 0
    for at in range(start, len(plain)):
        if plain[at] in "([{":
            depth += 1
        elif plain[at] in ")]}":
            depth -= 1
            if depth == 0:
                lines = plain[start : at + 1].split("\n")
                yield (
                    start,
                    at + 1,
                    "\\\n".join(" " * max(0, len(line) - 1) for line in lines[:-1])
                    + ("\\\n" if len(lines) > 1 else "")
                    + " " * len(lines[-1]),
                )
                return


def _lazy_imports(plain: str) -> Iterator[_Edit]:
    """``lazy import x`` is ``import x`` (PEP 810)."""
    for match in _LAZY.finditer(plain):
        yield match.start(1), match.start(1) + 1, ";"


REPAIRS: Final[dict[str, Callable[[str], Iterator[_Edit]]]] = {
    "PEP 758": _bare_exceptions,
    "PEP 695, PEP 696": _type_parameters,
    "PEP 695": _type_statements,
    "PEP 810": _lazy_imports,
}
"""Beside these, PEP 701 and PEP 750 in formatted.py."""
