"""The lines of a YAML document that hold something, with holes in the place of template expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from safecelery.deferred import dataclass
from safecelery.lint.deploy.environment import HOLE

__all__ = ["Line", "significant", "uncommented", "untemplated"]

_CONTROL = re.compile(
    r"\{\{-?\s*(?:if|else|end|with|range|define|block|break|continue|/\*|\$\w*\s*:?=|\w+\s+:=)\b|\{\{-?\s*(?:/\*|\$)"
)
_PRINTED = re.compile(r'\{\{-?\s*printf "(--[\w-]+=)%\w"[^{}"]*\}\}')
"""An option that a template prints: its name is known."""


@dataclass(slots=True)
class Line:
    """A line without its indentation; ``number`` is its place in the file, from 1."""

    indent: int
    text: str
    number: int


def significant(raw: Sequence[str], first: int) -> Iterator[Line]:
    """Lines that hold something; block scalars are kept (their lines are skipped when they are read)."""
    inside = False  # of a template expression over several lines
    for number, line in enumerate(raw, start=first):
        stripped = line.strip()
        if inside:
            inside = "}}" not in stripped
            continue
        if not stripped or stripped[0] == "#":
            continue
        indent = len(line) - len(line.lstrip(" "))
        if stripped.startswith("{{"):
            if "}}" not in stripped:
                inside = True
                if not _CONTROL.match(stripped):
                    yield Line(indent, HOLE, number)
                continue
            rest = untemplated(_PRINTED.sub("-", stripped), "")
            if not rest.strip():
                if any(not _CONTROL.match(found) for found in _expressions(stripped)):
                    yield Line(indent, HOLE, number)
                continue
        if "{{" in stripped:
            stripped = _PRINTED.sub(lambda found: f'"{found.group(1)}{HOLE}"', stripped)
            stripped = untemplated(stripped, HOLE)
            if "{{" in stripped:  # it goes on in the next lines
                inside = True
                stripped = stripped[: stripped.index("{{")] + HOLE
        yield Line(indent, stripped, number)


def _expressions(text: str) -> Iterator[str]:
    """Every ``{{ ... }}``. A regular expression would look from each beginning to the end of the text if none ends."""
    at = 0
    while (start := text.find("{{", at)) >= 0 and (end := text.find("}}", start + 2)) >= 0:
        yield text[start : end + 2]
        at = end + 2


def untemplated(text: str, instead: str) -> str:
    """With something else in the place of every ``{{ ... }}``."""
    parts = []
    for expression in _expressions(text):
        before, _, text = text.partition(expression)
        parts += [before, instead]
    return "".join([*parts, text]) if parts else text


def uncommented(text: str) -> str:
    """Without a comment behind it. Quotes are respected."""
    quote = ""
    for place, char in enumerate(text):
        if quote:
            if char == quote:
                quote = ""
        elif char in "\"'" and (place == 0 or text[place - 1] in " [{,:"):
            quote = char
        elif char == "#" and place and text[place - 1] == " ":
            return text[:place].rstrip()
    return text.rstrip()
