"""Text to tree, whatever the text: newer syntax is respelled, and what cannot be parsed is cut out and reported."""

from __future__ import annotations

import ast
import warnings
from typing import Final

from safecelery.lint.source.record import UnreadPart

__all__ = ["Parsed", "parse"]

_MAX_CUTS: Final = 25
_MAX_CHARACTERS: Final = 5_000_000
"""How much text may be parsed again for one module, over all attempts: about half a second."""


class Parsed:
    """The tree of a module, the text it was made from (with all its lines), and what was left out."""

    __slots__ = ("source", "tree", "unread")

    def __init__(self, tree: ast.Module | None, source: str, unread: list[UnreadPart]) -> None:
        self.tree = tree
        """None if nothing could be parsed."""
        self.source = source
        self.unread = unread


def parse(source: str) -> Parsed:
    """Parse a module. Never raises; the warnings of the parsed code are not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree, problem = _attempt(source)
        if tree is not None:
            return Parsed(tree, source, [])
        if problem is None or problem.lineno is None:
            return Parsed(None, source, [(0, "nested too deeply to be parsed; split the expression")])
        return _tolerant(source, problem)


def _attempt(source: str) -> tuple[ast.Module | None, SyntaxError | None]:
    try:
        return ast.parse(source), None
    except SyntaxError as error:
        return None, error
    except (RecursionError, MemoryError, ValueError, OverflowError):  # ValueError: a number with too many digits
        return None, None


def _tolerant(source: str, problem: SyntaxError) -> Parsed:
    from safecelery.lint.source.newer import older_syntax

    older = older_syntax(source)
    if older != source:
        tree, after = _attempt(older)
        if tree is not None:
            return Parsed(tree, older, [])
        if after is not None and after.lineno is not None:
            source, problem = older, after
    return _cutting(source, problem)


def _cutting(source: str, problem: SyntaxError) -> Parsed:
    from safecelery.lint.source.cut import candidates, without
    from safecelery.lint.source.strings import blanked

    unread: list[UnreadPart] = []
    spent = 0
    while len(unread) < _MAX_CUTS:
        line = problem.lineno or 1
        for first, last in candidates(blanked(source), line, problem.msg or ""):
            shorter = without(source, first, last)
            tree, after = _attempt(shorter)
            spent += len(source)
            if tree is not None or (after is not None and (after.lineno or 0) > last):
                unread.append((line, _message(problem, first, last)))
                source = shorter
                break
            if spent > _MAX_CHARACTERS:
                break
        else:
            break
        if tree is not None:
            return Parsed(tree, source, unread)
        if after is None or spent > _MAX_CHARACTERS:
            break
        problem = after
    line = unread[0][0] if unread else problem.lineno or 0
    return Parsed(
        None, source, [(line, f"not Python as far as we can tell ({_reason(problem)}): the file was not read")]
    )


def _message(problem: SyntaxError, first: int, last: int) -> str:
    lines = f"line {first} was" if first == last else f"lines {first} to {last} were"
    return f"{_reason(problem)}: {lines} not read, the rest of the file was"


def _reason(problem: SyntaxError) -> str:
    reason = (problem.msg or "invalid syntax").partition(" (")[0]
    return reason if len(reason) < 200 else "invalid syntax"
