"""What a transport found that no publisher of ours writes: counted, and logged without any of it."""

from __future__ import annotations

import logging
from collections import Counter
from time import monotonic

__all__ = ["GARBAGE", "found"]

logger = logging.getLogger("safecelery")

#: What this process found, by kind.
GARBAGE: Counter[str] = Counter()
#: Seconds between two lines about the same: a stream of garbage does not fill a disk.
LINE_EVERY_S = 1.0
_said: dict[tuple[str, str], float] = {}
_unsaid: Counter[tuple[str, str]] = Counter()


def found(kind: str, where: str, count: int = 1, *, what_now: str) -> None:
    """Count it, and say it in one line, at most one a second.

    Args:
        kind: a few fixed words.
        where: name of the queue, key or exchange as this process knows it; never anything of the message.
        what_now: what became of it.
    """
    GARBAGE[kind] += count
    _unsaid[kind, where] += count
    now = monotonic()
    if now - _said.get((kind, where), float("-inf")) < LINE_EVERY_S:
        return
    _said[kind, where] = now
    number = _unsaid.pop((kind, where))
    logger.warning("garbage in the broker: %s at %s, %d; %s", kind, where, number, what_now)
