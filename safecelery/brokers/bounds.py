"""How much of a message a transport reads, and where it puts what it cannot."""

from __future__ import annotations

from dataclasses import dataclass

from safecelery.policy.limits import Limits

__all__ = ["ITEM_FACTOR", "Bounds"]

#: A message in a queue may be this many times ``max_message_bytes``. The largest honest one is about three times as
#: large: body in base64 (4/3), the envelope (1), and Celery's own headers beside it (3/4).
ITEM_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """Known to every connection of an app; the defaults are the baseline policy's."""

    item_bytes: int = ITEM_FACTOR * 1_048_576
    """Larger items are never parsed and not held in memory: they are kept whole, apart."""
    dead_letters: str = "safecelery.dead-letters"
    """Queue of the dead letters."""

    @classmethod
    def of(cls, limits: Limits, dead_letters: str) -> Bounds:
        """The bounds that follow from a policy."""
        return cls(ITEM_FACTOR * limits.max_message_bytes, dead_letters)
