"""A bound on log lines: whoever floods a queue with garbage must not fill the disk with our words about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

__all__ = ["BURST", "PER_SECOND", "Throttle"]

#: Lines of one kind that may be written at once.
BURST = 100
#: Lines of one kind per second in the long run.
PER_SECOND = 10.0


class Throttle:
    """A token bucket for each kind of line (J. Turner, "New directions in communications", 1986).

    Its memory is one entry for each kind, so kinds are members of an enumeration, never words of a message.
    """

    def __init__(
        self, burst: int = BURST, per_second: float = PER_SECOND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._rate, self._clock = burst, per_second, clock
        self._kinds: dict[Hashable, tuple[float, float, int]] = {}
        """Kind -> tokens left, when they were counted, lines suppressed since the last one."""

    def ask(self, kind: Hashable) -> int | None:
        """``None``: do not write this one. A number: write it, and say that so many before it were not written."""
        now = self._clock()
        tokens, then, suppressed = self._kinds.get(kind, (float(self._burst), now, 0))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        if tokens < 1:
            self._kinds[kind] = (tokens, now, suppressed + 1)
            return None
        self._kinds[kind] = (tokens - 1, now, 0)
        return suppressed
