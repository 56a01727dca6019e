"""Frozen events, a counter of each, and the sinks they go to."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from safecelery.errors import Reason

__all__ = ["REJECTIONS", "SINKS", "MessageRejected", "emit"]

logger = logging.getLogger("safecelery")


@dataclass(frozen=True, slots=True)
class MessageRejected:
    """A message was refused and kept as a dead letter."""

    reason: Reason
    detail: str
    queue: str
    key: str | None
    """Id of the key that verifiably signed it; ``None`` where nothing was verified."""
    task: str | None
    """Task name as signed; ``None`` where nothing was verified."""


#: Refused messages of this process, by reason.
REJECTIONS: Counter[Reason] = Counter()


def count(event: MessageRejected) -> None:
    """Count the event by its reason."""
    REJECTIONS[event.reason] += 1


def log(event: MessageRejected) -> None:
    """One structured line: fields are attributes of the log record, too."""
    logger.warning(
        "message refused: %s (%s) queue=%s key=%s task=%s",
        event.reason.value,
        event.detail,
        event.queue,
        event.key,
        event.task,
        extra={
            "safecelery_reason": event.reason.value,
            "safecelery_queue": event.queue,
            "safecelery_key": event.key,
            "safecelery_task": event.task,
        },
    )


#: Everything that hears of an event, in order.
SINKS: tuple[Callable[[MessageRejected], None], ...] = (count, log)


def emit(event: MessageRejected) -> None:
    """Tell every sink. One that fails is logged and does not silence the others."""
    for sink in SINKS:
        try:
            sink(event)
        except Exception:
            logger.exception("a telemetry sink failed")
