"""Keywords of a call: add, remove, rename, replace, in the form the call is written in."""

from __future__ import annotations

import ast
import tokenize
from typing import Final

from safecelery.lint.fix.edits import Edit
from safecelery.lint.fix.source import Source, Token

__all__ = [
    "add_keyword",
    "keyword_of",
    "remove_entry",
    "remove_keyword",
    "rename_keyword",
    "replace_value",
    "spreads",
]

_BLANK: Final = (tokenize.NL, tokenize.COMMENT)


def keyword_of(call: ast.Call, name: str) -> ast.keyword | None:
    """The keyword argument of that name."""
    return next((keyword for keyword in call.keywords if keyword.arg == name), None)


def spreads(call: ast.Call) -> bool:
    """``**more``: there may be arguments that cannot be seen."""
    return any(keyword.arg is None for keyword in call.keywords)


def replace_value(source: Source, value: ast.expr, text: str) -> tuple[Edit, ...]:
    """Write ``text`` in place of a value; nothing to do if it is there already."""
    start, end = source.span(value)
    return () if source.text[start:end] == text else (Edit(start, end, text),)


def rename_keyword(source: Source, keyword: ast.keyword, name: str) -> tuple[Edit, ...]:
    """Give a keyword argument another name."""
    start, _ = source.span(keyword)
    old = keyword.arg or ""
    if source.text[start : start + len(old)] != old:  # an identifier in another Unicode form than Python reads it in
        return ()
    return (Edit(start, start + len(old), name),)


def add_keyword(source: Source, call: ast.Call, text: str) -> tuple[Edit, ...]:
    """Put ``name=value`` behind the last argument, in the style of the call."""
    inside = _inside(source, source.span(call)[1])
    if inside is None:
        return ()
    opening, tokens, closing = inside
    significant = [token for token in tokens if token.kind not in _BLANK]
    if not significant:
        return (Edit(opening.end, opening.end, text),)
    last = significant[-1]
    own_line = _begins_its_line(source, call)
    breaks = own_line is not None and source.line_of(last.start) != source.line_of(closing.start)
    if not breaks:
        if last.text == ",":
            return (Edit(last.end, last.end, f" {text},"),)
        return (Edit(last.end, last.end, f", {text}"),)
    # The closing bracket is on a line of its own, and so is each argument.
    at = source.line_end(last.end)
    if last.text == ",":
        return (Edit(at, at, f"{source.newline}{own_line}{text},"),)
    if at == last.end:
        return (Edit(at, at, f",{source.newline}{own_line}{text}"),)
    return (Edit(last.end, last.end, ","), Edit(at, at, f"{source.newline}{own_line}{text}"))


def remove_keyword(source: Source, call: ast.Call, keyword: ast.keyword) -> tuple[Edit, ...]:
    """Take a keyword argument out, with its comma, and with its line if nothing else is on it. Comments stay."""
    return _remove(source, source.span(call)[1], *source.span(keyword))


def remove_entry(source: Source, display: ast.Dict, index: int) -> tuple[Edit, ...]:
    """Take an entry out of a dict display, in the same way."""
    key = display.keys[index]
    if key is None:  # **more
        return ()
    return _remove(source, source.span(display)[1], source.span(key)[0], source.span(display.values[index])[1])


def _remove(source: Source, closing: int, start: int, end: int) -> tuple[Edit, ...]:
    inside = _inside(source, closing)
    if inside is None:
        return ()
    opening, tokens, _ = inside
    significant = [opening, *(token for token in tokens if token.kind not in _BLANK)]
    before = next((token for token in reversed(significant) if token.end <= start), opening)
    after = next((token for token in significant if token.start >= end), None)
    stop = after.end if after is not None and after.text == "," else end
    rest = source.text[stop : source.line_end(stop)].strip()
    if source.indent(start) is not None and not rest and source.text[source.line_end(stop) :]:
        following = source.text.index("\n", stop) + 1
        return (Edit(source.line_start(start), following, ""),)
    same_line = source.line_of(before.end) == source.line_of(start)
    if stop == end:  # the last one, without a comma behind it: the one before it goes
        return (Edit(before.start if before.text == "," and same_line else start, end, ""),)
    if (not rest or rest.startswith("#")) and same_line:
        return (Edit(before.end, stop, ""),)
    while stop < len(source.text) and source.text[stop] in " \t":
        stop += 1
    return (Edit(start, stop, ""),)


def _inside(source: Source, end: int) -> tuple[Token, list[Token], Token] | None:
    """The brackets of which the second ends at ``end``, and the tokens between them."""
    tokens = source.tokens
    last = source.token_at(end - 1)
    if last >= len(tokens) or tokens[last].text not in (")", "}"):
        return None
    depth, at = 0, last
    while at >= 0:
        text = tokens[at].text if tokens[at].kind == tokenize.OP else ""
        depth += (text in (")", "]", "}")) - (text in ("(", "[", "{"))
        if depth == 0:
            return tokens[at], tokens[at + 1 : last], tokens[last]
        at -= 1
    return None


def _begins_its_line(source: Source, call: ast.Call) -> str | None:
    """The indentation of the last argument, if it begins a line."""
    nodes: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    start = max(source.span(node)[0] for node in nodes)
    # "**options" and "*names" begin with their stars: a keyword's span holds them, a Starred's too
    return source.indent(start)
