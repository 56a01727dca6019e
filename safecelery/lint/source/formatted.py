"""f-strings of Python 3.12 and later (PEP 701), rewritten so that an older parser reads them.

Quotes are chosen anew where an inner string uses the outer one's; an expression that older Pythons cannot hold at all
(a backslash or a comment in it) becomes the name ``__unread__``, whose value nobody knows. Lines stay where they are.
"""

from __future__ import annotations

from typing import Final

from safecelery.lint.source.strings import Comment, Field, Text, strings_of

__all__ = ["UNREAD_NAME", "older_strings"]

UNREAD_NAME: Final = "__unread__"
_QUOTES: Final = ('"""', "'''", '"', "'")


def older_strings(source: str) -> str:
    """The module with every f-string and t-string as an older parser wants it; all else unchanged.

    A t-string (PEP 750) becomes an f-string.
    """
    pieces, _ = strings_of(source)
    parts: list[str] = []
    at = 0
    for piece in pieces:
        if isinstance(piece, Comment) or not _is_formatted(piece):
            continue
        written = source[piece.start : piece.end]
        better = _render(source, piece, ())
        if better is None:  # deeper quotes than there are kinds of
            better = f"({UNREAD_NAME}" + "\n" * written.count("\n") + ")"
        parts += (source[at : piece.start], better)
        at = piece.end
    parts.append(source[at:])
    return "".join(parts)


def _is_formatted(text: Text) -> bool:
    prefix = text.prefix.lower()
    return "f" in prefix or "t" in prefix


def _render(source: str, text: Text, outer: tuple[str, ...]) -> str | None:
    """The literal with quotes that fit into ``outer``; None if there are none."""
    prefix = text.prefix.replace("t", "f").replace("T", "F")
    for quote in (text.quote, *_QUOTES):
        if any(used in quote for used in outer):
            continue
        body = (
            _body(source, text, (*outer, quote))
            if _is_formatted(text)
            else source[text.body_start : text.end - len(text.quote)]
        )
        if body is None or not _fits(body, quote, text, outer):
            continue
        return f"{prefix}{quote}{body}{quote}"
    return None


def _fits(body: str, quote: str, text: Text, outer: tuple[str, ...]) -> bool:
    if any(used in body for used in outer):
        return False
    if outer and "\\" in body:  # inside a field
        return False
    if quote == text.quote and not text.fields:
        return True
    plain = body.replace("\\" + quote[0], "")
    if quote in plain or (len(quote) == 1 and "\n" in body):
        return False
    return not plain.endswith(quote[0])


def _body(source: str, text: Text, outer: tuple[str, ...]) -> str | None:
    parts: list[str] = []
    at = text.body_start
    for field in text.fields:
        parts += (source[at : field.start], _field(source, field, outer))
        at = field.end
    parts.append(source[at : text.end - len(text.quote)])
    return "".join(parts)


def _field(source: str, field: Field, outer: tuple[str, ...]) -> str:
    expression = _pieces(source, field, field.start + 1, field.expression_end, outer)
    if expression is None or "\\" in expression:
        lines = source.count("\n", field.start, field.expression_end)
        expression = UNREAD_NAME + "\n" * lines
    rest = _pieces(source, field, field.expression_end, field.end, outer)
    return "{" + expression + (rest if rest is not None else "}")


def _pieces(source: str, field: Field, start: int, end: int, outer: tuple[str, ...]) -> str | None:
    parts: list[str] = []
    at = start
    for piece in field.nested:
        if not start <= piece.start < end:
            continue
        parts.append(source[at : piece.start])
        if isinstance(piece, Comment):
            return None
        rendered = _field(source, piece, outer) if isinstance(piece, Field) else _render(source, piece, outer)
        if rendered is None:
            return None
        parts.append(rendered)
        at = piece.end
    parts.append(source[at:end])
    return "".join(parts)
