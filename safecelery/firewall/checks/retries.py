"""The retry count is one that retrying can have produced."""

from __future__ import annotations

from safecelery.errors import Reason, Rejected
from safecelery.firewall.interface import Body, Context, Received
from safecelery.message.stages import VerifiedMessage

__all__ = ["retries", "retry_count"]

#: Celery's own task that waits for a chord by retrying every second (celery/app/builtins.py), where the result backend
#: has no better way. It may wait as long as a message may live.
POLLING = "celery.chord_unlock"


def retry_count(message: Received, body: Body, context: Context) -> None:
    """Refuse a retry count that is none: the task compares it with numbers."""
    if type(message.claims.hdr.get("retries", 0)) is not int:
        raise Rejected(Reason.RETRIES_OUT_OF_RANGE, "the retry count is not a whole number")


def retries(message: VerifiedMessage, body: Body, context: Context) -> None:
    """Refuse ``retries=-50``, which would buy fifty runs more than the task allows."""
    count = message.claims.hdr.get("retries", 0)
    polls = message.claims.hdr["task"] == POLLING
    most = int(context.limits.max_message_age_s) if polls else context.limits.max_retries
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= most:
        raise Rejected(Reason.RETRIES_OUT_OF_RANGE, f"the retry count is not between 0 and {most}")
