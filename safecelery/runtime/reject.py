"""Rejecting: a refused message is kept whole, with the reason, before the original is acknowledged."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.message import Message
from kombu.messaging import Producer

from safecelery.errors import Rejected
from safecelery.message.stages import RawMessage, VerifiedMessage
from safecelery.runtime.guard import Guard
from safecelery.telemetry.events import emit, refusal_event

__all__ = ["DEAD_LETTER_TYPE", "DeadLetters", "dead_letter_queue"]

#: Content type of a dead letter; its body is JSON.
DEAD_LETTER_TYPE = "application/vnd.safecelery.dead-letter+json"


def dead_letter_queue(app: Celery, name: str) -> Queue:
    """The queue of dead letters, of the type that the app's own queues have."""
    quorum = app.conf.task_default_queue_type == "quorum"
    return Queue(
        name,
        Exchange("", type="direct"),
        routing_key=name,
        durable=True,
        queue_arguments={"x-queue-type": "quorum"} if quorum else None,
    )


def record(raw: RawMessage, refusal: Rejected, where: str, at: datetime) -> dict[str, Any]:
    """One dead letter: the same on every broker. The original's bytes are kept as they came."""
    return {
        "v": 1,
        "reason": refusal.reason.value,
        "detail": refusal.detail,
        "queue": raw.queue,
        "worker": where,
        "at": at.isoformat(),
        "original": {
            "body": base64.b64encode(raw.body).decode(),
            "headers": _plain(dict(raw.headers)),
            "properties": _plain(dict(raw.properties)),
            "content_type": _plain(raw.content_type),
            "content_encoding": _plain(raw.content_encoding),
        },
    }


#: Headers nested deeper are cut off: whoever nests them aims at the stack of those who walk them.
_MAX_DEPTH = 32


def _plain(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """As JSON can hold it: headers of AMQP may be bytes, dates and decimals."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict | list | tuple) and depth == 0:
        return {"omitted": "nested too deeply"}
    if isinstance(value, dict):
        return {str(name): _plain(inner, depth - 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, depth - 1) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    return str(value)


class DeadLetters:
    """Where a worker's refused messages go."""

    def __init__(self, app: Celery, guard: Guard) -> None:
        self.app = app
        self.queue = dead_letter_queue(app, guard.settings.dead_letter_queue)

    def keep(self, raw: RawMessage, message: Message, refusal: Rejected, verified: VerifiedMessage | None) -> None:
        """Publish the dead letter, wait for the broker's word where it gives one, then acknowledge the original.

        If the process dies, or the broker is gone, before the acknowledgement, the broker still has the original.
        """
        letter = record(raw, refusal, self.app.oid, datetime.now(UTC))
        with self.app.pool.acquire(block=True, timeout=self.app.conf.broker_pool_acquire_timeout) as connection:
            Producer(connection, auto_declare=False).publish(
                letter,
                exchange="",
                routing_key=self.queue.name,
                declare=[self.queue],
                serializer="json",
                headers={"safecelery-dead-letter": 1},
                delivery_mode=2,
                retry=True,
                retry_policy={"max_retries": 3},
            )
        message.ack()
        emit(refusal_event(refusal, raw.queue, verified, self.app.tasks))
