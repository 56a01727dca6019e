"""Comments in Python source, and the lines each of them covers.

A comment covers the whole logical line it stands on (its first or last line, or alone above it), and with a decorator
the head of what it decorates, as with a ``def`` its decorators: people put it at either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from safecelery.deferred import dataclass
from safecelery.lint.suppress.instruction import MARK, Comment, Lines, instruction

__all__ = ["read_comments"]


@dataclass(slots=True)
class _Statement:
    """One logical line."""

    first: int
    last: int
    starts_with: str
    only_text: bool
    """Nothing but a string: a docstring, if it comes first."""


@dataclass(slots=True)
class _Source:
    statements: list[_Statement] = field(default_factory=list)
    comments: list[tuple[int, str, bool]] = field(default_factory=list)
    """Line, text, and whether it stands alone on its line."""


def read_comments(source: str) -> list[Comment]:
    """The comments for the linter in Python source, in order. Never raises: of broken source, those up to the break."""
    if MARK not in source:
        return []
    read = _tokens(source)
    alone = {line for line, _, alone in read.comments if alone}
    found = []
    for line, text, by_itself in read.comments:
        comment = instruction(text, line)
        if comment is None:
            continue
        if comment["file"]:
            if not comment["problem"] and not _at_the_head(line, read.statements):
                comment["problem"] = "'ignore-file' stands before the first statement of a file"
        else:
            comment["lines"] = _covered(line, by_itself, read.statements, alone)
        found.append(comment)
    return found


def _tokens(source: str) -> _Source:
    import tokenize  # only files with a comment for us need it

    read = _Source()
    skipped = {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
    current: _Statement | None = None
    try:
        for token in tokenize.generate_tokens(_lines(source).__next__):
            line = token.start[0]
            if token.type == tokenize.COMMENT:
                read.comments.append((line, token.string, not token.line[: token.start[1]].strip()))
            elif token.type == tokenize.NEWLINE:
                if current is not None:
                    current.last = line
                    read.statements.append(current)
                current = None
            elif token.type not in skipped:
                text = token.type == tokenize.STRING
                if current is None:
                    current = _Statement(line, token.end[0], token.string, text)
                else:
                    current.last, current.only_text = token.end[0], current.only_text and text
    except (tokenize.TokenError, SyntaxError, StopIteration):
        pass  # the parser will say so, and better
    if current is not None:
        read.statements.append(current)
    return read


def _lines(source: str) -> Iterator[str]:
    # Not splitlines(): a form feed or a separator such as U+2028 ends no line of Python.
    for line in source.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        yield line + "\n"


def _at_the_head(line: int, statements: list[_Statement]) -> bool:
    before = [statement for statement in statements if statement.first < line]
    return not before or (len(before) == 1 and before[0].only_text and before[0].last < line)


def _covered(line: int, by_itself: bool, statements: list[_Statement], alone: set[int]) -> Lines:
    inside = next((i for i, s in enumerate(statements) if s.first <= line <= s.last), None)
    below = line + 1
    while below in alone:
        below += 1
    if inside is not None:
        if by_itself:
            return [[line, below]]
        if line not in (statements[inside].first, statements[inside].last):
            return [[line, line]]
        return _with_decorators(inside, statements)
    index = next((i for i, s in enumerate(statements) if s.first == below), None)
    return [[line, line]] if index is None else _with_decorators(index, statements)


def _with_decorators(index: int, statements: list[_Statement]) -> Lines:
    chosen = [index]
    if statements[index].starts_with == "@":
        head = index
        while head < len(statements) and statements[head].starts_with == "@":
            head += 1
        if head < len(statements):
            chosen.append(head)
    elif statements[index].starts_with in ("def", "async", "class"):
        above = index - 1
        while above >= 0 and statements[above].starts_with == "@":
            chosen.append(above)
            above -= 1
    return [[statements[i].first, statements[i].last] for i in sorted(chosen)]
