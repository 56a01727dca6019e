"""What to leave out of a module that does not parse: the statement around the error, then the block, and so on."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["candidates", "without"]

_CLAUSE = re.compile(r"(?:else|elif|except|finally|case)\b")
_DEEPER = re.compile(r"on line (\d+)")


def candidates(plain: str, line: int, message: str) -> Iterator[tuple[int, int]]:
    """Ranges of lines (from 1, both included) around an error, the smallest first; the last one goes to the end.

    ``plain`` is the module with strings and comments blanked out.
    """
    lines = plain.split("\n")
    line = max(1, min(line, len(lines)))
    while line > 1 and not lines[line - 1].strip():  # an error at the end of the file belongs to what stands before
        line -= 1
    given: set[tuple[int, int]] = set()
    for first, last in _all(lines, line, message):
        if (first, last) not in given:
            given.add((first, last))
            yield first, last
    yield _statement(lines, line)[0], len(lines)


def _all(lines: list[str], line: int, message: str) -> Iterator[tuple[int, int]]:
    if not _opens_block(lines, line) and not lines[line - 1].lstrip().startswith("@"):
        yield line, line
    begun = _DEEPER.search(message)
    if begun is not None and int(begun[1]) < line:
        yield _statement(lines, int(begun[1]))[0], line - 1
    start: int | None = line
    while start is not None:
        first, last = _statement(lines, start)
        yield first, max(last, line)
        start = _header_above(lines, first)


def without(source: str, first: int, last: int) -> str:
    """The module with ``pass`` for these lines, and as many lines as before."""
    lines = source.split("\n")
    text = lines[first - 1]
    lines[first - 1 : last] = [text[: len(text) - len(text.lstrip())] + "pass"] + [""] * (last - first)
    return "\n".join(lines)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _is_continuation(text: str) -> bool:
    """A blank line, the inside of a string, or the end of a bracket: says nothing about indentation."""
    stripped = text.strip()
    return not stripped or stripped[0] in ')]}"'


def _next(lines: list[str], line: int) -> int | None:
    """The next line that says something."""
    for at in range(line + 1, len(lines) + 1):
        if not _is_continuation(lines[at - 1]):
            return at
    return None


def _opens_block(lines: list[str], line: int) -> bool:
    following = _next(lines, line)
    return following is not None and _indent(lines[following - 1]) > _indent(lines[line - 1])


def _header_above(lines: list[str], line: int) -> int | None:
    indent = _indent(lines[line - 1])
    for at in range(line - 1, 0, -1):
        if not _is_continuation(lines[at - 1]) and _indent(lines[at - 1]) < indent:
            return at
    return None


def _statement(lines: list[str], line: int) -> tuple[int, int]:
    """The statement at this line: with the decorators and clauses before it, all clauses after it, and its blocks."""
    indent = _indent(lines[line - 1])
    first = line
    text = lines[first - 1].strip()
    for at in range(line - 1, 0, -1):
        above = lines[at - 1]
        if _is_continuation(above) or _indent(above) > indent:
            continue
        is_decorator = above.lstrip().startswith("@")
        if _indent(above) < indent or not (_CLAUSE.match(text) or is_decorator):
            break
        first = at
        text = above.strip()
        if not is_decorator and not _CLAUSE.match(text):
            text = "@"  # only decorators may precede now
    last = line
    in_decorators = lines[line - 1].lstrip().startswith("@")
    for at in range(line + 1, len(lines) + 1):
        below = lines[at - 1]
        if not below.strip():
            continue
        if not _is_continuation(below) and _indent(below) <= indent:
            continues = _indent(below) == indent and (in_decorators or _CLAUSE.match(below.lstrip()))
            if not continues:
                break
            in_decorators = below.lstrip().startswith("@")
        last = at
    return first, last
