"""The signer may send this task to this queue."""

from __future__ import annotations

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.canvas import BUILTIN_CANVAS, check_replaced
from safecelery.firewall.interface import Body, Context
from safecelery.message.stages import VerifiedMessage

__all__ = ["grants"]


def grants(message: VerifiedMessage, body: Body, context: Context) -> None:
    """Refuse a task or a queue that the trust store does not grant to the signer's key.

    Celery's own canvas tasks need no grant: they only run what is embedded in them, which ``canvas`` checks.
    """
    key, task = message.key, message.claims.hdr["task"]
    if task not in BUILTIN_CANVAS and not key.may_send_task(task):
        raise Rejected(Reason.TASK_NOT_GRANTED, f"key {key.kid!r} may not send task {task!r}")
    check_replaced(message.claims.hdr, key, Reason.TASK_NOT_GRANTED)
    if not key.may_use_queue(message.queue):
        raise Rejected(Reason.QUEUE_NOT_GRANTED, f"key {key.kid!r} may not send to queue {message.queue!r}")
