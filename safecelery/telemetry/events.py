"""Frozen events, a counter of each, and the sinks they go to."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Literal

from safecelery.errors import Reason, Rejected, one_line
from safecelery.message.stages import AdmittedMessage, VerifiedMessage
from safecelery.telemetry.metrics import ADMITTED, AGE, REFUSALS, SUPPRESSED
from safecelery.telemetry.throttle import Throttle

__all__ = ["REJECTIONS", "SINKS", "MessageRejected", "admission", "emit", "refusal_event"]

logger = logging.getLogger("safecelery")


@dataclass(frozen=True, slots=True)
class MessageRejected:
    """A message was refused and kept as a dead letter; or, in report mode, would have been and runs."""

    reason: Reason
    detail: str
    queue: str
    key: str | None
    """Id of the key that verifiably signed it; ``None`` where nothing was verified."""
    task: str | None
    """Task name as signed; where nothing was verified, ``None`` or a name that this worker itself knows."""
    owner: str | None = None
    """Owner of that key."""
    registered: bool = False
    """This worker knows the task, so there are only so many of that name."""
    mode: Literal["enforce", "report"] = "enforce"
    """``report``: it was admitted."""


def refusal_event(
    refusal: Rejected, queue: str, verified: VerifiedMessage | None, registered: Container[str]
) -> MessageRejected:
    """The event of a refused message. ``registered`` are the tasks that this worker knows."""
    task = str(verified.claims.hdr.get("task")) if verified else None
    return MessageRejected(
        reason=refusal.reason,
        detail=refusal.detail,
        queue=queue,
        key=verified.key.kid if verified else None,
        task=task,
        owner=verified.key.owner if verified else None,
        registered=task is not None and task in registered,
    )


def admission(admitted: AdmittedMessage, now: float) -> None:
    """Count an admitted message, and tell the sinks of every objection that report mode overruled.

    Args:
        now: seconds since the epoch, when the message was taken.
    """
    # Checks of form let only registered tasks through, signed or not.
    task, verified = admitted.claims.hdr["task"], admitted.verified
    ADMITTED.add(admitted.queue, task, verified.key.owner if verified else "")
    if verified:
        AGE.observe(max(0.0, now - verified.claims.iat))
    for objection in admitted.objections:
        emit(
            MessageRejected(
                reason=objection.reason,
                detail=objection.detail,
                queue=admitted.queue,
                key=verified.key.kid if verified else None,
                task=task,
                owner=verified.key.owner if verified else None,
                registered=True,
                mode="report",
            )
        )


#: Refused messages of this process, by reason.
REJECTIONS: Counter[Reason] = Counter()
_THROTTLE = Throttle()
#: Characters of one field of a log line.
_LONGEST_FIELD = 200


def count(event: MessageRejected) -> None:
    """Count the event. A task is named only if this worker knows it: others can be invented without end."""
    if event.mode == "enforce":
        REJECTIONS[event.reason] += 1
    task = event.task or "" if event.registered else ""
    REFUSALS.add(event.reason.value, event.queue, task, event.owner or "", event.mode)


def log(event: MessageRejected) -> None:
    """One structured line: fields are attributes of the log record, too. In a flood, some lines are only counted."""
    suppressed = _THROTTLE.ask((event.reason, event.mode))
    if suppressed is None:
        SUPPRESSED.add(event.reason.value)
        return
    queue, key, task, owner = (
        None if text is None else one_line(text, _LONGEST_FIELD)
        for text in (event.queue, event.key, event.task, event.owner)
    )
    logger.warning(
        "%s: %s (%s) queue=%s key=%s task=%s%s",
        "message refused" if event.mode == "enforce" else "message would be refused",
        event.reason.value,
        event.detail,
        queue,
        key,
        task,
        f" suppressed={suppressed}" if suppressed else "",
        extra={
            "safecelery_event": "message-refused" if event.mode == "enforce" else "message-reported",
            "safecelery_reason": event.reason.value,
            "safecelery_detail": event.detail,
            "safecelery_queue": queue,
            "safecelery_key": key,
            "safecelery_owner": owner,
            "safecelery_task": task,
            "safecelery_mode": event.mode,
            "safecelery_suppressed": suppressed,
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
