"""Colours of the text formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from safecelery.lint.finding import Finding
from safecelery.policy.document import Level

__all__ = ["Paint", "level_word", "painter"]

Paint = Callable[[str, str], str]
"""Takes the name of a style and a text."""

_STYLES: Final = {
    "error": "1;31",
    "warning": "1;33",
    "undecided": "1;35",
    "good": "1;32",
    "place": "36",
    "rule": "1",
    "bold": "1",
    "dim": "2",
    "gutter": "34",
    "help": "32",
}
"""ECMA-48 select graphic rendition. None of them sets a background: they must be readable on any."""


def painter(colour: bool) -> Paint:
    """A function that colours, or one that leaves the text as it is."""
    if colour:
        return lambda style, text: f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if text else text
    return lambda _, text: text


def level_word(finding: Finding) -> str:
    """``error`` or ``warning``: whether it fails the run."""
    return "error" if finding.level is Level.ERROR else "warning"
