"""What happens to deliveries besides running and being refused: counted, and one log line each, without payload."""

from __future__ import annotations

import logging
from collections import Counter
from enum import StrEnum

__all__ = ["DELIVERIES", "Happened", "note"]

logger = logging.getLogger("safecelery")


class Happened(StrEnum):
    """The value appears in logs and metrics."""

    DUPLICATE_DROPPED = "duplicate-dropped"
    """Delivered again after it was completed; acknowledged and not run."""
    HELD = "held"
    """Delivered again while it runs; it waits, unacknowledged."""
    TAKEN_OVER = "taken-over"
    """Claimed before and not completed: its holder crashed or gave it back. It runs again."""
    LEASE_LOST = "lease-lost"
    """A lease of this worker's was not renewed in time, and another worker may run the message too."""
    STORE_UNAVAILABLE = "ledger-unavailable"
    """The ledger cannot be asked; messages wait, unacknowledged."""
    STORE_AGAIN = "ledger-available-again"


#: What happened in this process, by kind.
DELIVERIES: Counter[Happened] = Counter()

_LEVELS = {
    Happened.LEASE_LOST: logging.ERROR,
    Happened.STORE_UNAVAILABLE: logging.ERROR,
    Happened.DUPLICATE_DROPPED: logging.WARNING,
}


def note(happened: Happened, detail: str, *, task: str | None = None, jti: str | None = None) -> None:
    """Count it and log it. ``detail`` never carries anything of a body."""
    DELIVERIES[happened] += 1
    logger.log(
        _LEVELS.get(happened, logging.INFO),
        "delivery %s: %s task=%s message=%s",
        happened.value,
        detail,
        task,
        jti,
        extra={"safecelery_delivery": happened.value, "safecelery_task": task, "safecelery_message": jti},
    )
