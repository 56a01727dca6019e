"""Where the docstrings of a module are, told from its bytes without tokenizing it.

A docstring that cannot be told for certain is not told: what stands in it then counts as code.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Docstrings"]

_QUOTES: Final = b'"""'
_PLAIN: Final = frozenset({b"", b"r", b"R"})
"""What may stand before the quotes on their line."""


class Docstrings:
    """Looked for as far as somebody asks, once."""

    __slots__ = ("_at", "_data", "_spans")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._spans: list[tuple[int, int]] = []
        # Of two kinds of triple quotes each may stand inside of the other.
        self._at = -1 if b"'''" in data else data.find(_QUOTES)
        """The next opening quotes; -1: there are no more, or they cannot be told."""

    def hold(self, place: int) -> bool:
        """Whether the byte at ``place`` is in a docstring."""
        while 0 <= self._at < place:
            self._next()
        return any(first < place < end for first, end in reversed(self._spans))

    def _next(self) -> None:
        """Go on behind one text in triple quotes.

        What leads to here is code, so the quotes open a text unless a comment or another text begins before them on
        their line, or on one that this line goes on.
        """
        data, at = self._data, self._at
        start = data.rfind(b"\n", 0, at) + 1
        before = data[start:at]
        if b"#" in before or b"'" in before or b'"' in before or data[max(0, start - 3) : start].rstrip()[-1:] == b"\\":
            self._at = -1
            return
        end = data.find(_QUOTES, at + 3)
        while end >= 0 and _is_escaped(data, end):
            end = data.find(_QUOTES, end + 1)
        if end < 0:
            self._at = -1
            return
        if before.strip() in _PLAIN and _begins_a_block(data, start):
            self._spans.append((at, end))
        self._at = data.find(_QUOTES, end + 3)


def _is_escaped(data: bytes, at: int) -> bool:
    count = 0
    while data[at - 1 - count : at - count] == b"\\":
        count += 1
    return count % 2 == 1


def _begins_a_block(data: bytes, start: int) -> bool:
    """The line at ``start`` is the first one of a module, class or function, comments left out."""
    end = start - 1
    while end > 0:
        line = data[data.rfind(b"\n", 0, end) + 1 : end].strip()
        if line and not line.startswith(b"#"):
            return line.endswith(b":") and line[:1] not in (b'"', b"'")  # a text as the key of a table
        end = data.rfind(b"\n", 0, end)
    return True
