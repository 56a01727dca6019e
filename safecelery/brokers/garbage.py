"""What a transport found that no publisher of ours writes: counted, and logged without any of it."""

from __future__ import annotations

import logging
from collections import Counter

__all__ = ["GARBAGE", "found"]

logger = logging.getLogger("safecelery")

#: What this process found, by kind.
GARBAGE: Counter[str] = Counter()


def found(kind: str, where: str, count: int = 1, *, what_now: str) -> None:
    """Count it, and say it in one line.

    Args:
        kind: a few fixed words.
        where: name of the queue, key or exchange as this process knows it; never anything of the message.
        what_now: what became of it.
    """
    GARBAGE[kind] += count
    logger.warning("garbage in the broker: %s at %s, %d; %s", kind, where, count, what_now)
