"""Consuming: bytes from the broker become an admitted message, or a dead letter; nothing else reaches Celery."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from celery.exceptions import WorkerShutdown, WorkerTerminate
from celery.worker.consumer import Consumer as WorkerConsumer
from kombu.messaging import Consumer

from safecelery.brokers.undecoded import Undecoded
from safecelery.errors import Reason, Rejected
from safecelery.firewall import Context, admit
from safecelery.message.stages import AdmittedMessage, RawMessage, VerifiedMessage
from safecelery.message.unseal import unseal
from safecelery.runtime.bindings import bindings_of
from safecelery.runtime.guard import guard_of
from safecelery.runtime.reject import DeadLetters

__all__ = ["QueueAwareConsumer", "SafeWorkerConsumer"]


class QueueAwareConsumer(Consumer):
    """``kombu.Consumer`` that knows which of its queues a message came from.

    The broker says so by consumer tag; everything a message says of its own whereabouts is only data.
    """

    def _basic_consume(self, queue: Any, *args: Any, **kwargs: Any) -> None:
        """As in kombu/messaging.py, but each queue gets a callback of its own."""
        self._consumed_queue = queue.name
        super()._basic_consume(queue, *args, **kwargs)

    @property
    def _receive_callback(self) -> Callable[[Any], Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Read by ``_basic_consume`` once per queue (kombu/messaging.py)."""
        return partial(self._receive_from, self._consumed_queue)

    def _receive_from(self, queue: str, message: Any) -> Any:
        convert = getattr(self.channel, "message_to_python", None)
        received: Undecoded = convert(message) if convert else message
        received.accept = self.accept
        received.consumed_queue = queue
        if self.on_message is None:
            return self.receive(received.decode(), received)
        return self.on_message(received)


class SafeWorkerConsumer(WorkerConsumer):
    """The worker's consumer. Set as ``worker_consumer``."""

    # What Celery finds wrong with a message that was admitted. Its own handlers log the whole body and drop the message
    # (celery/worker/consumer/consumer.py); here it takes the way of every other refused one.

    def on_decode_error(self, message: Undecoded, exc: Exception) -> NoReturn:
        """The body is JSON, but not what kombu's decoder makes of tagged values."""
        raise Rejected(Reason.BODY_MALFORMED, f"the body cannot be decoded ({type(exc).__name__})")

    def on_invalid_task(self, body: Any, message: Undecoded, exc: Exception) -> NoReturn:
        """A header or argument that Celery cannot work with."""
        raise Rejected(Reason.CLAIMS_MALFORMED, f"Celery cannot make a task of it ({type(exc).__name__})")

    def on_unknown_message(self, body: Any, message: Undecoded) -> NoReturn:
        """Neither protocol."""
        raise Rejected(Reason.BODY_MALFORMED, "not a task message")

    def on_unknown_task(self, body: Any, message: Undecoded, exc: Exception) -> NoReturn:
        """Not registered any more."""
        raise Rejected(Reason.TASK_UNKNOWN, "no such task is registered on this worker")

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Undecoded], None]:
        """Celery's handler behind the firewall."""
        run = super().create_task_handler(*args, **kwargs)
        guard = guard_of(self.app)
        dead_letters = DeadLetters(self.app, guard)
        # What these mean is for Celery to handle: reconnect, or stop.
        escape = (*self.connection_errors, *self.channel_errors, WorkerShutdown, WorkerTerminate)

        def on_message(message: Undecoded) -> None:
            raw = _raw(message)
            verified: VerifiedMessage | None = None
            try:
                now = time.time()
                limits = guard.policy.limits
                verified = unseal(
                    raw, guard.ring, now=now, max_bytes=limits.max_message_bytes, max_skew_s=limits.max_clock_skew_s
                )
                context = Context(limits, now, self.strategies, partial(bindings_of, self.app))
                _rebuild(message, admit(verified, context))
                run(message)
            except Rejected as refusal:
                dead_letters.keep(raw, message, refusal, verified)
            except escape:
                raise
            except Exception as error:
                if message.acknowledged:
                    raise
                failure = Rejected(Reason.INTERNAL, f"handling the message failed with {type(error).__name__}")
                dead_letters.keep(raw, message, failure, verified)

        return on_message


def _bytes(body: object) -> bytes:
    """The body as it came. A transport that keeps objects could hold anything; what is no text is kept as its repr."""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    text = body if isinstance(body, str) else "" if body is None else repr(body)
    return text.encode("utf-8", "surrogatepass")


def _raw(message: Undecoded) -> RawMessage:
    return RawMessage(
        body=_bytes(message.body),
        headers=message.headers,
        properties=message.properties,
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        queue=message.consumed_queue,
    )


def _rebuild(message: Undecoded, admitted: AdmittedMessage) -> None:
    """Replace everything Celery reads by what was signed. ``delivery_info`` is what this process knows."""
    claims = admitted.verified.claims
    info = message.delivery_info
    message.headers = dict(claims.hdr)
    message.properties = dict(claims.props)
    message.content_type, message.content_encoding = claims.ct, claims.ce
    message.body = admitted.plain
    message._decoded_cache = None
    message.delivery_info = {
        # A retry goes back to the queue that was really consumed (celery/app/task.py, signature_from_request).
        "exchange": "",
        "routing_key": admitted.verified.queue,
        "priority": claims.props.get("priority"),
        "redelivered": info.get("redelivered") is True,
        "consumer_tag": info.get("consumer_tag"),
    }
