"""The queue that dead letters wait in, and any other of its kind."""

from __future__ import annotations

from celery import Celery
from kombu.entity import Exchange, Queue

__all__ = ["QUORUM_ARGUMENTS", "dead_letter_queue"]

#: A quorum queue drops what was handed out more often than its limit says, and looking at a letter counts: RabbitMQ 4
#: has a limit of 20 where nobody states one. Full means that a publish fails, not that the oldest letter goes.
QUORUM_ARGUMENTS = {"x-queue-type": "quorum", "x-delivery-limit": 2**31 - 1, "x-overflow": "reject-publish"}


def dead_letter_queue(app: Celery, name: str) -> Queue:
    """The queue of dead letters, of the type that the app's own queues have."""
    quorum = app.conf.task_default_queue_type == "quorum"
    return Queue(
        name,
        Exchange("", type="direct"),
        routing_key=name,
        durable=True,
        queue_arguments=dict(QUORUM_ARGUMENTS) if quorum else None,
    )
