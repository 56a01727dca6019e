"""Characters that must not reach a terminal, an XML parser or a reader's eye as they are.

A file name, a task's name or a source line may hold anything: escape sequences that move the cursor (ECMA-48), controls
that turn the direction of reading (UAX #9; CVE-2021-42574), lone surrogates that no encoder takes.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["columns", "encodable", "visible"]

_SURROGATES: Final = re.compile("[\ud800-\udfff]")
# C0, DEL, C1, soft hyphen, zero width and bidi controls, line and paragraph separator, interlinear annotations, tags,
# and the two code points of the first plane that XML 1.0 forbids beside the controls.
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ud800-\udfff"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    number = ord(character)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def visible(text: str) -> str:
    """The text on one line, every character that acts instead of being seen written as an escape: ``\\x1b``."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_escaped, text)


def encodable(text: str) -> str:
    """The text with lone surrogates written as escapes: what is left can be encoded as UTF-8."""
    return text if text.isascii() else _SURROGATES.sub(_escaped, text)


def columns(text: str) -> int:
    """How many columns a terminal takes for it (UAX #11: wide and full-width characters take two)."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
