"""Consuming: bytes from the broker become an admitted message, or a dead letter; nothing else reaches Celery."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, NoReturn

from celery.exceptions import WorkerShutdown, WorkerTerminate
from celery.worker import state
from celery.worker.consumer import Consumer as WorkerConsumer
from kombu.messaging import Consumer

from safecelery.brokers.garbage import found
from safecelery.brokers.undecoded import Undecoded
from safecelery.errors import Reason, Rejected, StoreUnavailable
from safecelery.firewall import Received, admit
from safecelery.message.encrypted import is_encrypted
from safecelery.message.stages import AdmittedMessage, RawMessage, VerifiedMessage
from safecelery.message.unseal import CONTENT, unseal
from safecelery.message.unsigned import take_unsigned
from safecelery.runtime.admission import context_of
from safecelery.runtime.deliveries import Delivery, deliveries_of
from safecelery.runtime.guard import Guard, guard_of
from safecelery.runtime.handover import hear_who_began
from safecelery.runtime.hidden import HIDDEN
from safecelery.runtime.oversized import announce
from safecelery.runtime.park import Parking
from safecelery.runtime.reject import DeadLetters
from safecelery.runtime.results.errbacks import consumes_here
from safecelery.telemetry.events import admission
from safecelery.telemetry.metrics import TIME

__all__ = ["QueueAwareConsumer", "SafeWorkerConsumer", "raw_message", "receive"]

logger = logging.getLogger("safecelery")

#: Steps of the worker's consumer that are replaced (celery/worker/consumer/consumer.py, ``Consumer.Blueprint``).
STEPS = {
    "celery.worker.consumer.control:Control": "safecelery.runtime.pidbox:ControlStep",
    "celery.worker.consumer.gossip:Gossip": "safecelery.runtime.gossip:SafeGossip",
}


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
            if received.amiss is not None:  # remote control and events: nobody would want it back
                found("message that cannot be read", queue, what_now="dropped")
                return received.ack()
            return self.receive(received.decode(), received)
        return self.on_message(received)


class SafeWorkerConsumer(WorkerConsumer):
    """The worker's consumer. Set as ``worker_consumer``."""

    class Blueprint(WorkerConsumer.Blueprint):
        """Celery's steps, but for those that would believe what nobody signed."""

        default_steps: ClassVar = [STEPS.get(step, step) for step in WorkerConsumer.Blueprint.default_steps]

    receive: Callable[[Undecoded], None]
    """One message's way to Celery or to the dead letters; made by :meth:`create_task_handler`."""

    def __init__(self, *args: Any, worker_options: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """Gossip and mingle are off unless the settings ask for them; ``--without-gossip`` still turns one off."""
        asked = guard_of(kwargs["app"]).settings.control
        options = dict(worker_options or {})
        options["without_mingle"] = bool(options.get("without_mingle")) or not asked.mingle
        options["without_gossip"] = bool(options.get("without_gossip")) or not asked.unsigned_gossip
        super().__init__(*args, worker_options=options, **kwargs)
        self.deliveries = deliveries_of(self)

    def start(self) -> None:
        """As Celery's; from here on this thread turns the worker's event loop."""
        consumes_here()
        super().start()

    def on_close(self) -> None:
        """The connection is lost, or the worker stops: the broker delivers again what no pool process works on."""
        if self.deliveries is not None:
            handed_over = {id(r.message) for r in state.reserved_requests if r._apply_result is not None}
            self.deliveries.connection_lost(_running(), handed_over)
        super().on_close()

    def stop(self) -> None:
        """The worker stops; what a child has begun by now is waited for, and not the broker's to deliver again."""
        if unknown := hear_who_began(self.pool):
            logger.warning(
                "%d tasks were handed to a child that does not say whether it began: they may run twice", unknown
            )
        if self.deliveries is not None:
            self.deliveries.settle_at_once()
        super().stop()

    def shutdown(self) -> None:
        """The worker's last step, after its pool is gone and before its connection is."""
        self.perform_pending_operations()
        if self.deliveries is not None:
            self.deliveries.close(_running())
        super().shutdown()

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

    _dead_letters: DeadLetters | None = None

    def _keep_dead_letters(self, guard: Guard) -> DeadLetters:
        """Anew for each connection: what was held for the last one is the broker's to deliver again."""
        if self._dead_letters is not None:
            self._dead_letters.forget()
        self._dead_letters = DeadLetters(self.app, guard, worker=self.hostname, later=self.timer.call_after)
        return self._dead_letters

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Undecoded], None]:
        """Celery's handler behind the firewall."""
        run = super().create_task_handler(*args, **kwargs)
        guard = guard_of(self.app)
        dead_letters = self._keep_dead_letters(guard)
        deliveries = self.deliveries
        parking = Parking(self.app, guard.settings.park_ahead)
        # What these mean is for Celery to handle: reconnect, or stop.
        escape = (*self.connection_errors, *self.channel_errors, WorkerShutdown, WorkerTerminate)

        def receive_one(message: Undecoded) -> None:
            raw = raw_message(message)
            verified: VerifiedMessage | None = None
            delivery: Delivery | None = None
            try:
                now, began = time.time(), time.perf_counter()
                if message.amiss is not None:
                    announce(guard.settings.dead_letter_queue, message)
                    raise message.amiss
                received = receive(raw, guard, now)
                verified = received if isinstance(received, VerifiedMessage) else None
                context = context_of(self.app, guard, now, self.strategies, reports=True)
                admitted = admit(received, context)
                TIME.observe(time.perf_counter() - began)
                if parking.park(message, raw, admitted):
                    return
                if deliveries is not None and verified is not None:
                    delivery = deliveries.claim(verified.claims, message)
                    if delivery is None:
                        return
                    message.delivery = delivery
                _rebuild(message, admitted, guard)
                run(message)
                admission(admitted, now)
            except Rejected as refusal:
                with _given_back(delivery):
                    dead_letters.keep(raw, message, refusal, verified, delivery)
            except StoreUnavailable:
                raise
            except escape:
                if delivery is not None:
                    delivery.give_back(counts=True)
                raise
            except Exception as error:
                if message.acknowledged:
                    raise
                failure = Rejected(Reason.INTERNAL, f"handling the message failed with {type(error).__name__}")
                with _given_back(delivery):
                    dead_letters.keep(raw, message, failure, verified, delivery)

        self.receive = receive_one
        if deliveries is None:
            return receive_one
        deliveries.start()
        return deliveries.backlog.message


@contextmanager
def _given_back(delivery: Delivery | None) -> Iterator[None]:
    """A claimed message is refused after all. If that fails, it may come again."""
    try:
        yield
    except BaseException:
        if delivery is not None:
            delivery.give_back(counts=True)
        raise


def _running() -> set[int]:
    """Messages that a process of the pool works on."""
    return {id(request.message) for request in state.active_requests}


def _bytes(body: object) -> bytes:
    """The body as it came. A transport that keeps objects could hold anything; what is no text is kept as its repr."""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    text = body if isinstance(body, str) else "" if body is None else repr(body)
    return text.encode("utf-8", "surrogatepass")


def raw_message(message: Undecoded) -> RawMessage:
    """What came, and where from: nothing of it is believed."""
    return RawMessage(
        body=_bytes(message.body),
        headers=message.headers,
        properties=message.properties,
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        queue=message.consumed_queue,
    )


def receive(raw: RawMessage, guard: Guard, now: float) -> Received:
    """The message with its signature checked; in report mode also one that has none.

    A signature that does not hold is refused in either mode: it is no step on the way to signing.

    Raises:
        Rejected: and nothing else.
    """
    limits = guard.policy.limits
    try:
        return unseal(raw, guard.ring, now=now, max_bytes=limits.max_message_bytes, max_skew_s=limits.max_clock_skew_s)
    except Rejected as refusal:
        if guard.settings.firewall.mode != "report" or refusal.reason is not Reason.ENVELOPE_MISSING:
            raise
    return take_unsigned(raw, now=now, max_bytes=limits.max_message_bytes)


def _rebuild(message: Undecoded, admitted: AdmittedMessage, guard: Guard) -> None:
    """Replace everything Celery reads by what was signed, or in report mode by what was checked for its form.

    ``delivery_info`` is what this process knows.
    """
    claims = admitted.claims
    info = message.delivery_info
    message.headers = dict(claims.hdr)
    if is_encrypted(claims) or guard.cipher.must_encrypt(claims.hdr["task"]):
        message.headers |= {"argsrepr": HIDDEN, "kwargsrepr": HIDDEN}
    message.properties = dict(claims.props)
    message.content_type, message.content_encoding = CONTENT
    message.body = admitted.plain
    message._decoded_cache = None
    message.delivery_info = {
        # A retry goes back to the queue that was really consumed (celery/app/task.py, signature_from_request).
        "exchange": "",
        "routing_key": admitted.queue,
        "priority": claims.props.get("priority"),
        "redelivered": info.get("redelivered") is True,
        "consumer_tag": info.get("consumer_tag"),
    }
