"""The queue that dead letters wait in, and any other of its kind."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.messaging import Producer

__all__ = ["QUORUM_ARGUMENTS", "dead_letter_queue", "keep_in"]

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


def keep_in(app: Celery, queue: Queue, data: Any, **options: Any) -> None:
    """Publish to such a queue, by a connection of the app's own, and wait for the broker's word where it gives one.

    Args:
        data: bytes, or what reads like them.
        options: of ``kombu.Producer.publish``.

    Raises:
        the transport's errors: it is not kept.
    """
    with app.pool.acquire(block=True, timeout=app.conf.broker_pool_acquire_timeout) as connection:
        try:
            Producer(connection, auto_declare=False).publish(
                data,
                exchange="",
                routing_key=queue.name,
                declare=[queue],
                delivery_mode=2,
                # A queue that was deleted meanwhile is an error then, not a letter that goes nowhere, confirmed.
                mandatory=True,
                **options,
            )
        except Exception:
            connection.collect()  # its channel may be closed, and it remembers what it declared
            raise
