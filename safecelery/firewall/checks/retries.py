"""The retry count is one that retrying can have produced."""

from __future__ import annotations

from safecelery.errors import Reason, Rejected
from safecelery.firewall.interface import Body, Context
from safecelery.message.stages import VerifiedMessage

__all__ = ["retries"]

#: Celery's own task that waits for a chord by retrying every second (celery/app/builtins.py), where the result backend
#: has no better way. It may wait as long as a message may live.
POLLING = "celery.chord_unlock"


def retries(message: VerifiedMessage, body: Body, context: Context) -> None:
    """Refuse ``retries=-50``, which would buy fifty runs more than the task allows."""
    count = message.claims.hdr.get("retries", 0)
    polls = message.claims.hdr["task"] == POLLING
    most = int(context.limits.max_message_age_s) if polls else context.limits.max_retries
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= most:
        raise Rejected(Reason.RETRIES_OUT_OF_RANGE, f"the retry count is not between 0 and {most}")
