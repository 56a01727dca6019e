"""Where the strings and comments of a module are, by the grammar of Python 3.14, whatever the host's is.

Used only for modules that the host's parser refuses. An f-string or t-string is taken apart into its replacement
fields, which may hold strings again, with any quotes (PEP 701).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["Field", "Text", "blanked", "strings_of"]

_NEXT: Final = re.compile(r"#[^\n]*|([A-Za-z]{0,3})(\"\"\"|'''|\"|')|[A-Za-z0-9_]+")
_PREFIXES: Final = frozenset({"", "r", "b", "u", "f", "t", "br", "rb", "fr", "rf", "tr", "rt"})
_MAX_DEPTH: Final = 20


class Unfinished(Exception):
    """A string or a field that never ends, or that nests deeper than anybody writes."""


class Field:
    """One replacement field: the places of its braces, of the end of its expression, and the strings in it."""

    __slots__ = ("end", "expression_end", "nested", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        """Of ``{``."""
        self.expression_end = start
        """Of what follows the expression: ``!``, ``:`` or ``}``; nested fields of a format are in ``nested`` too."""
        self.end = start
        """After ``}``."""
        self.nested: list[Text | Field | Comment] = []


class Comment:
    """A comment: from ``#`` to the end of the line."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end


class Text:
    """One string literal, with prefix and quotes."""

    __slots__ = ("end", "fields", "prefix", "quote", "start")

    def __init__(self, start: int, prefix: str, quote: str) -> None:
        self.start = start
        """Of the prefix."""
        self.prefix = prefix
        self.quote = quote
        self.end = start
        """After the closing quotes."""
        self.fields: list[Field] = []

    @property
    def body_start(self) -> int:
        """After the opening quotes."""
        return self.start + len(self.prefix) + len(self.quote)


def strings_of(source: str) -> tuple[list[Text | Comment], int]:
    """The outermost strings and comments in order, and up to where this holds: the length, or an unfinished string."""
    found: list[Text | Comment] = []
    at = 0
    while (match := _NEXT.search(source, at)) is not None:
        try:
            piece = _piece(source, match, 0)
        except Unfinished:
            return found, match.start()
        if piece is None:
            at = match.end()
        else:
            found.append(piece)
            at = piece.end
    return found, len(source)


def blanked(source: str) -> str:
    """The module with every character of strings and comments replaced by ``"`` or a space; same length, same lines."""
    parts: list[str] = []
    at = 0
    pieces, good_to = strings_of(source)
    for piece in pieces:
        parts.append(source[at : piece.start])
        filler = " " if isinstance(piece, Comment) else '"'
        parts.append(re.sub(r"[^\n]", filler, source[piece.start : piece.end]))
        at = piece.end
    parts.append(source[at:good_to])
    parts.append(source[good_to:])
    return "".join(parts)


def _piece(source: str, match: re.Match[str], depth: int) -> Text | Comment | None:
    """What starts here; None for a word or a number."""
    if match[0].startswith("#"):
        return Comment(match.start(), match.end())
    if match[2] is None:
        return None
    prefix = match[1]
    if prefix.lower() not in _PREFIXES:  # a word right before a quote is not valid anyway
        prefix = ""
    start = match.start(2) - len(prefix)
    text = Text(start, prefix, match[2])
    if "f" in prefix.lower() or "t" in prefix.lower():
        _formatted(source, text, depth)
    else:
        text.end = _plain_end(source, text)
    return text


def _plain_end(source: str, text: Text) -> int:
    at = text.body_start
    ends = re.compile(r"\\|\n|" + text.quote)
    while (match := ends.search(source, at)) is not None:
        if match[0] == "\\":
            at = match.end() + 1
        elif match[0] == "\n":
            if len(text.quote) == 1:
                raise Unfinished
            at = match.end()
        else:
            return match.end()
    raise Unfinished


def _formatted(source: str, text: Text, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise Unfinished
    at = text.body_start
    raw = "r" in text.prefix.lower()
    while at < len(source):
        char = source[at]
        if char == "\\":
            if not raw and source.startswith("\\N{", at):
                at = source.find("}", at) + 1 or len(source)
            else:
                at += 1 if source.startswith("\\{", at) else 2
        elif source.startswith(text.quote, at):
            text.end = at + len(text.quote)
            return
        elif char == "\n" and len(text.quote) == 1:
            raise Unfinished
        elif char == "{":
            if source.startswith("{{", at):
                at += 2
                continue
            field = _field(source, at, text, depth)
            text.fields.append(field)
            at = field.end
        else:
            at += 1
    raise Unfinished


def _field(source: str, start: int, text: Text, depth: int) -> Field:
    field = Field(start)
    at = start + 1
    brackets = 0
    while at < len(source):
        char = source[at]
        if char in "([{":
            brackets += 1
        elif char in ")]" or (char == "}" and brackets):
            brackets -= 1
        elif char == "}" or (brackets == 0 and (char == ":" or (char == "!" and source[at + 1 : at + 2] != "="))):
            field.expression_end = at
            field.end = _format_end(source, at, field, text, depth)
            return field
        elif char in "#'\"" or char.isalnum() or char == "_":
            match = _NEXT.match(source, at)
            if match is not None:
                piece = _piece(source, match, depth + 1)
                if piece is not None:
                    field.nested.append(piece)
                    at = piece.end
                else:
                    at = match.end()
                continue
        at += 1
    raise Unfinished


def _format_end(source: str, at: int, field: Field, text: Text, depth: int) -> int:
    """The end of the field, past conversion and format."""
    if depth > _MAX_DEPTH:
        raise Unfinished
    while at < len(source):
        char = source[at]
        if char == "}":
            return at + 1
        if char == "{":
            inner = _field(source, at, text, depth + 1)
            field.nested.append(inner)
            at = inner.end
        elif source.startswith(text.quote, at) or (char == "\n" and len(text.quote) == 1):
            raise Unfinished
        else:
            at += 1
    raise Unfinished


def walk_strings(pieces: list[Text | Field | Comment]) -> Iterator[Text | Comment]:
    """Every string and comment, at any depth."""
    for piece in pieces:
        if isinstance(piece, Field):
            yield from walk_strings(piece.nested)
            continue
        yield piece
        if isinstance(piece, Text):
            for field in piece.fields:
                yield from walk_strings(field.nested)
