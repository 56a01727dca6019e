"""Remote control as operators see it: what was refused, counted and logged by reason. Never what it said."""

from __future__ import annotations

import logging
from collections import Counter

from safecelery.errors import Reason, Rejected

__all__ = ["COMMANDS_REFUSED", "EVENTS_DROPPED", "REPLIES_DROPPED", "command_refused", "event_dropped", "reply_dropped"]

logger = logging.getLogger("safecelery")

#: Commands that this process refused, by reason.
COMMANDS_REFUSED: Counter[Reason] = Counter()
#: Replies that this process did not believe, by reason.
REPLIES_DROPPED: Counter[Reason] = Counter()
#: Messages on the event channel that were no events, by reason.
EVENTS_DROPPED: Counter[Reason] = Counter()


def command_refused(refusal: Rejected, key: str | None, worker: str) -> None:
    """Count it, and write one line. ``key`` is the id of the key that verifiably signed it."""
    _tell("command refused", COMMANDS_REFUSED, refusal, key, worker)


def reply_dropped(refusal: Rejected, key: str | None, caller: str) -> None:
    """Count it, and write one line."""
    _tell("reply dropped", REPLIES_DROPPED, refusal, key, caller)


def event_dropped(refusal: Rejected, worker: str) -> None:
    """Count it, and write one line."""
    _tell("event dropped", EVENTS_DROPPED, refusal, None, worker)


def _tell(what: str, counter: Counter[Reason], refusal: Rejected, key: str | None, where: str) -> None:
    counter[refusal.reason] += 1
    logger.warning(
        "%s: %s (%s) key=%s at=%s", what, refusal.reason.value, refusal.detail, key, where,
        extra={"safecelery_reason": refusal.reason.value, "safecelery_key": key},
    )  # fmt: skip
