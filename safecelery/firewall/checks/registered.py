"""This worker knows the task."""

from __future__ import annotations

from safecelery.errors import Reason, Rejected
from safecelery.firewall.interface import Body, Context, Received

__all__ = ["registered"]


def registered(message: Received, body: Body, context: Context) -> None:
    """Refuse an unknown task here: Celery would log its whole body and drop it."""
    task = message.claims.hdr["task"]
    if task not in context.registered:
        raise Rejected(Reason.TASK_UNKNOWN, f"no task {task!r} is registered on this worker")
