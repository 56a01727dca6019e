"""One comment, read: what it excuses, why, and what is wrong with it."""

from __future__ import annotations

import re
from typing import Final, TypedDict

from safecelery.errors import nearest

__all__ = ["MARK", "Comment", "Lines", "instruction"]

MARK: Final = "safecelery:"

Lines = list[list[int]]
"""Pairs of first and last line, both counted."""


class Comment(TypedDict):
    """A comment for the linter. Plain data, for the cache keeps it as JSON."""

    line: int
    text: str
    """From ``safecelery:`` on."""
    codes: list[str]
    """As written: codes, prefixes, names."""
    reason: str
    file: bool
    """It is about the whole file."""
    lines: Lines
    """What it covers if it is not about the whole file."""
    problem: str
    """Why it does nothing; "" if it is obeyed."""


_COMMENT = re.compile(r"[#;]\s*(safecelery:\s*([A-Za-z][\w-]*)\s*(?:\[([^\]]*)(\]?))?(.*))", re.DOTALL)
_INSTRUCTIONS: Final = ("ignore", "ignore-file")
# What other tools call the same: whoever writes these means to excuse something.
_FOREIGN: Final = ("noqa", "nosec", "disable", "skip", "skip-file", "disable-file", "off")
# Comments of other tools may follow the reason; "see #12" belongs to it.
_OTHERS = re.compile(
    r"\s#\s*(?=noqa\b|nosec\b|type:|py[a-z]+:|pragma|mypy:|ruff:|fmt:|isort:|noinspection|safecelery:)"
)
_LONGEST = 120


def instruction(comment: str, line: int) -> Comment | None:
    """What a comment, with its ``#``, says to the linter; None if it says nothing. ``lines`` is left empty."""
    match = _COMMENT.search(comment)
    if match is None:
        return None
    text, word, inside, closed, rest = match.groups()
    if word not in _INSTRUCTIONS and not _means_us(word, inside is not None):
        return None
    codes = [code.strip() for code in (inside or "").split(",") if code.strip()]
    reason = _OTHERS.split(rest)[0].strip(" \t\r\n\f-:,;\u2013\u2014")
    problem = ""
    if word not in _INSTRUCTIONS:
        problem = f"there is no instruction {word!r}, only 'ignore' and 'ignore-file'"
    elif inside is not None and not closed:
        problem = "the bracket is not closed"
    elif not codes:
        problem = "no code in brackets"
    elif not any(character.isalnum() for character in reason):
        problem = "no reason after the brackets"
    elif MARK in rest:
        problem = "one comment holds one instruction; separate codes by commas"
    return Comment(
        line=line,
        text=text.strip()[:_LONGEST],
        codes=codes,
        reason=reason,
        file=word == "ignore-file",
        lines=[],
        problem=problem,
    )


def _means_us(word: str, has_codes: bool) -> bool:
    """Whether a word that is no instruction was meant as one. Prose about safecelery is left alone."""
    if has_codes or word.lower() in _FOREIGN:
        return True
    return nearest(word.lower(), _INSTRUCTIONS, 0.7) is not None
