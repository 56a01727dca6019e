"""A message that is too large to be read is kept whole in a queue of its own, and its dead letter says where.

It is copied there before the letter is published, and so before the original is acknowledged.
"""

from __future__ import annotations

import uuid
from typing import Any

from celery import Celery
from kombu.message import Message
from kombu.messaging import Producer

from safecelery.brokers.undecoded import Undecoded
from safecelery.runtime.dead_letter_queue import dead_letter_queue

__all__ = ["KEPT", "announce", "oversized_queue_name", "put_aside"]

#: Property of the original, in its dead letter: where its body is.
KEPT = "safecelery-kept"


def oversized_queue_name(dead_letters: str) -> str:
    """Where messages wait that are too large for a dead letter: as they came, one message each."""
    return f"{dead_letters}.oversized"


def announce(dead_letters: str, message: Undecoded) -> None:
    """Note in the message's properties where its body will be, if it is in a file.

    Nothing else is to be done for any other message; the Redis transport has kept its own already.
    """
    if message.spool is not None:
        queue = oversized_queue_name(dead_letters)
        message.properties[KEPT] = {"queue": queue, "message_id": str(uuid.uuid4()), "bytes": len(message.spool)}


def put_aside(app: Celery, dead_letters: str, message: Message) -> None:
    """Copy a body that is in a file to where it was announced, once.

    Raises:
        the transport's errors: nothing was copied, and the original is not to be acknowledged.
    """
    if not isinstance(message, Undecoded) or message.spool is None:
        return
    spool = message.spool
    queue = dead_letter_queue(app, oversized_queue_name(dead_letters))
    options: dict[str, Any] = {"message_id": message.properties[KEPT]["message_id"], "delivery_mode": 2}
    with app.pool.acquire(block=True, timeout=app.conf.broker_pool_acquire_timeout) as connection:
        try:
            Producer(connection, auto_declare=False).publish(
                spool,
                exchange="",
                routing_key=queue.name,
                declare=[queue],
                content_type="application/octet-stream",
                content_encoding="binary",
                headers={"safecelery-oversized": 1},
                mandatory=True,
                **options,
            )
        except Exception:
            connection.collect()  # as for letters: its channel may be closed
            raise
    spool.close()
    message.spool = None
