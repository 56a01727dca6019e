"""A message that is too large to be read is kept whole in a queue of its own, and its dead letter says where.

It is copied there before the letter is published, and so before the original is acknowledged.
"""

from __future__ import annotations

import uuid

from celery import Celery
from kombu.message import Message

from safecelery.brokers.undecoded import Undecoded
from safecelery.runtime.dead_letter_queue import dead_letter_queue, keep_in

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
    keep_in(
        app,
        dead_letter_queue(app, oversized_queue_name(dead_letters)),
        message.spool,
        content_type="application/octet-stream",
        content_encoding="binary",
        headers={"safecelery-oversized": 1},
        message_id=message.properties[KEPT]["message_id"],
    )
    message.spool.close()
    message.spool = None
