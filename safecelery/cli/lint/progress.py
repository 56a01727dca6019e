"""How far a long run is: one line on a terminal, gone when it is over."""

from __future__ import annotations

import sys
import time
from typing import IO, Any

__all__ = ["Progress"]

_PATIENCE_S = 0.5
"""A run that is over sooner needs no progress."""
_PACE_S = 0.1


class Progress:
    """Called with the number of files done and of all; writes at most ten times a second."""

    def __init__(self, stream: IO[Any] | None = None) -> None:
        self._stream = stream or sys.stderr
        self._next = time.monotonic() + _PATIENCE_S
        self._written = 0

    def __call__(self, done: int, total: int) -> None:
        """Write, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _PACE_S
        text = f"reading files: {done} of {total}"
        self._put("\r" + text.ljust(self._written))
        self._written = len(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._written:
            self._put("\r" + " " * self._written + "\r")
            self._written = 0

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
