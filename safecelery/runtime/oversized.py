"""A message that is too large to be read is kept whole in a queue of its own, and its dead letter says where."""

from __future__ import annotations

import uuid
from typing import Any

from celery import Celery
from kombu.messaging import Producer

from safecelery.brokers.undecoded import Undecoded
from safecelery.runtime.reject import dead_letter_queue

__all__ = ["oversized_queue_name", "put_aside"]


def oversized_queue_name(dead_letters: str) -> str:
    """Where messages wait that are too large for a dead letter: as they came, one message each."""
    return f"{dead_letters}.oversized"


def put_aside(app: Celery, dead_letters: str, message: Undecoded) -> None:
    """Copy a body that is in a file to that queue, and note in the message's properties where it is.

    Does nothing for any other message; the Redis transport has kept its own already.

    Raises:
        the transport's errors: nothing was copied, and the original is not acknowledged.
    """
    spool = message.spool
    if spool is None:
        return
    queue = dead_letter_queue(app, oversized_queue_name(dead_letters))
    name = str(uuid.uuid4())
    options: dict[str, Any] = {"message_id": name, "delivery_mode": 2}
    with app.pool.acquire(block=True, timeout=app.conf.broker_pool_acquire_timeout) as connection:
        Producer(connection, auto_declare=False).publish(
            spool,
            exchange="",
            routing_key=queue.name,
            declare=[queue],
            content_type="application/octet-stream",
            content_encoding="binary",
            headers={"safecelery-oversized": 1},
            **options,
        )
    message.properties["safecelery-kept"] = {"queue": queue.name, "message_id": name, "bytes": len(spool)}
    spool.close()
    message.spool = None
