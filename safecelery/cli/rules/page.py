"""A rule's page, for a terminal: headings, wrapped paragraphs, indented code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click

from safecelery.policy.rule import Rule

__all__ = ["page_text", "render_page"]

_WIDEST = 88
"""Longer lines are hard to read."""
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_HEADING = re.compile(r"(#{1,6}) +(.*)")
_BULLET = re.compile(r"(\s*)([*-]|\d+\.) +")


def page_text(rule: Rule[Any]) -> str:
    """The page as it is shipped, in Markdown. Raises PolicyFileError or OSError if the installation lacks it."""
    from safecelery.policy.shipped import shipped_directory

    return (shipped_directory() / "rules" / f"{rule.code}-{rule.name}.md").read_text(encoding="utf-8")


def render_page(markdown: str, *, width: int, colour: bool) -> str:
    """The page as text of at most ``width`` columns (code is never wrapped)."""
    return "\n".join(_lines(markdown.splitlines(), max(20, min(width, _WIDEST)), colour)).rstrip() + "\n"


def _lines(lines: list[str], width: int, colour: bool) -> Iterator[str]:
    paragraph: list[str] = []
    code = False
    for line in lines:
        if line.startswith("```"):
            yield from _wrapped(paragraph, width)
            if not code and len(line.split()) > 1:  # which file the block is
                yield _styled(f"    {' '.join(line.split()[1:]).removesuffix(' +')}:", colour, dim=True)
            code = not code
        elif code:
            yield f"    {line}" if line else ""
        elif heading := _HEADING.match(line):
            yield from _wrapped(paragraph, width)
            yield _styled(heading[2], colour, bold=True, underline=len(heading[1]) == 1)
        elif not line.strip():
            yield from _wrapped(paragraph, width)
            yield ""
        else:
            if _BULLET.match(line):
                yield from _wrapped(paragraph, width)
            paragraph.append(line)
    yield from _wrapped(paragraph, width)


def _wrapped(paragraph: list[str], width: int) -> Iterator[str]:
    """The paragraph's lines, filled; empties it."""
    if not paragraph:
        return
    import textwrap

    bullet = _BULLET.match(paragraph[0])
    hanging = " " * bullet.end() if bullet else ""
    text = _LINK.sub(r"\1 <\2>", " ".join(line.strip() for line in paragraph))
    paragraph.clear()
    first = bullet[1] if bullet else ""
    yield from textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )


def _styled(text: str, colour: bool, **style: bool) -> str:
    return click.style(text, **style) if colour else text
