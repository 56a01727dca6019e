"""Mutants through the whole way of a message in one process: transport, consumer, unseal, admit, rebuild."""

from __future__ import annotations

import base64
import json
import resource
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from amqp import Message as AmqpMessage
from celery.worker.consumer import Consumer as WorkerConsumer

from safecelery import errors
from safecelery.brokers.rabbitmq import RabbitMQChannel
from safecelery.brokers.redis_channel import RedisChannel
from safecelery.brokers.redis_wire import wire_message
from safecelery.errors import Reason, Rejected
from safecelery.keys.base64url import decode
from safecelery.message.seal import HEADER
from safecelery.runtime import consume
from safecelery.runtime.reject import DeadLetters
from tests.attacks.fuzz.layers import Forgery, Mutant, mutate
from tests.attacks.fuzz.oracle import INFLATE, Broken, check_admitted
from tests.attacks.fuzz.samples import Sample, capture, memory_app
from tests.attacks.keys import Keys

__all__ = ["Figures", "Harness", "harness"]

QUEUES = ("orders", "other")
#: Characters of a refusal's detail. Where nothing bounds them yet, names from signed messages may be of any length.
LONGEST_DETAIL: float = getattr(errors, "LONGEST_DETAIL", float("inf")) + len("...")


@dataclass(slots=True)
class Figures:
    """What came of the mutants."""

    refused: Counter[str] = field(default_factory=Counter)
    admitted: int = 0
    layers: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """All of them."""
        return self.admitted + sum(self.refused.values())


class _RedisChannel:
    """What a message asks of its channel (kombu/transport/virtual/base.py)."""

    no_ack_consumers = None

    def decode_body(self, body: Any, encoding: Any = None) -> Any:
        """As ``Channel.decode_body``."""
        return base64.b64decode(body) if encoding == "base64" else body

    def message_to_python(self, payload: Any) -> Any:
        """As ``Channel.message_to_python``."""
        return RedisChannel.Message(payload, channel=self)


class _AmqpChannel:
    def message_to_python(self, message: Any) -> Any:
        """As in kombu/transport/pyamqp.py."""
        return RabbitMQChannel.Message(message, channel=self)


class _Celery(WorkerConsumer):  # type: ignore[misc]
    """In Celery's place: what comes here would run."""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Keeps the message."""
        return self.ran.append


class _Consumer(consume.SafeWorkerConsumer, _Celery):
    """safecelery's consumer without a worker around it."""

    def __init__(self, app: Any, ran: list[Any]) -> None:
        self.app, self.ran = app, ran
        self.strategies = dict.fromkeys(app.tasks)
        self.connection_errors = self.channel_errors = ()
        self.deliveries = None
        self.hostname = "w"
        self.timer = SimpleNamespace(call_after=None)


class _Letters(DeadLetters):
    """The dead letters, written but not sent."""

    def keep(self, raw: Any, message: Any, refusal: Rejected, *more: Any, **others: Any) -> None:
        """The letter can be written, holds the whole message, and says nothing unprintable."""
        letter = json.loads(self._letter(raw, refusal, None, None).to_bytes())
        if base64.b64decode(letter["original"]["body"]) != bytes(raw.body):
            raise Broken("the dead letter's body is another one")
        if not refusal.detail.isprintable() or len(refusal.detail) > LONGEST_DETAIL:
            raise Broken(f"a log line that is none: {refusal.detail[:500]!r}")
        KEPT.append(refusal)


KEPT: list[Rejected] = []


class Harness:
    """A receiving side in this process, and the messages to make mutants of."""

    def __init__(self, app: Any, keys: Keys, samples: list[Sample]) -> None:
        self.keys = keys
        self.forgery = Forgery(samples, keys.private("unknown"), keys.private("limited"))
        self.originals = {sample.signed for sample in samples}
        self.figures = Figures()
        self._ran: list[Any] = []
        app.amqp.queues.select(QUEUES)
        handler = _Consumer(app, self._ran).create_task_handler()
        self._consumers = [_queue_consumer(channel, handler) for channel in (_RedisChannel(), _AmqpChannel())]

    def case(self, random: Random) -> tuple[Mutant, bool]:
        """One mutant, and whether it was admitted.

        Raises:
            Broken: the law does not hold.
        """
        mutant = mutate(self.forgery, random)
        return mutant, self.judge(mutant, over_amqp=random.random() < 0.3)

    def judge(self, mutant: Mutant, *, over_amqp: bool = False) -> bool:
        """Deliver it, and see that the law holds."""
        self._ran.clear()
        KEPT.clear()
        try:
            consumer, message = self._arrives(mutant, over_amqp)
            envelope, body = self._deliver(consumer, message, mutant.queue)
        except Broken:
            raise
        except BaseException as error:
            raise Broken(f"{type(error).__name__} left the consumer: {error!s:.200}") from error
        if len(self._ran) + len(KEPT) != 1:
            raise Broken(f"{len(self._ran)} ran and {len(KEPT)} were refused of one message")
        self.figures.layers.update(set(mutant.layers))
        if KEPT:
            self._check_refused(KEPT[0])
            return False
        self.figures.admitted += 1
        self._check_rebuilt(mutant, self._ran[0], envelope, body)
        return True

    def _arrives(self, mutant: Mutant, over_amqp: bool) -> tuple[Any, Any]:
        redis, rabbitmq = self._consumers
        item = mutant.item
        if not over_amqp or not isinstance(item, dict) or not isinstance(item.get("headers"), dict):
            return redis, wire_message(mutant.wire, mutant.queue)
        try:
            body = base64.b64decode(item["body"])
        except (KeyError, ValueError, TypeError):
            return redis, wire_message(mutant.wire, mutant.queue)
        properties = {"content_type": item.get("content-type"), "content_encoding": item.get("content-encoding")}
        message = AmqpMessage(body, application_headers=item["headers"], **properties)
        message.delivery_info = {"consumer_tag": "1", "delivery_tag": 1, "redelivered": False}
        return rabbitmq, message

    def _deliver(self, consumer: Any, message: Any, queue: str) -> tuple[Any, bytes]:
        seen: list[tuple[Any, bytes]] = []
        on_message = consumer.on_message

        def look(received: Any) -> None:
            body = received.body
            seen.append((received.headers.get(HEADER), body.encode() if isinstance(body, str) else bytes(body or b"")))
            on_message(received)

        consumer.on_message = look
        try:
            consumer._receive_from(queue, message)
        finally:
            consumer.on_message = on_message
        return seen[0]

    def _check_refused(self, refusal: Rejected) -> None:
        if refusal.reason is Reason.INTERNAL:
            raise Broken(f"refused for a reason that nobody thought of: {refusal.detail}")
        self.figures.refused[refusal.reason.value] += 1

    def _check_rebuilt(self, mutant: Mutant, message: Any, envelope: Any, body: bytes) -> None:
        claims = check_admitted(mutant, decode(envelope.split(".")[0]), body, self.originals, self.keys)
        expected = {
            "headers": claims["hdr"], "properties": claims["props"], "content_type": "application/json",
            "content_encoding": "utf-8", "body": INFLATE[claims["cmp"]](body),
        }  # fmt: skip
        for name, value in expected.items():
            if getattr(message, name) != value:
                raise Broken(f"{name} is not what was signed")
        if message.delivery_info["routing_key"] != mutant.queue or message.delivery_info["exchange"] != "":
            raise Broken("the queue is not the one that was consumed")


def _queue_consumer(channel: Any, handler: Callable[[Any], None]) -> Any:
    consumer: Any = object.__new__(consume.QueueAwareConsumer)
    consumer.channel, consumer.accept, consumer.on_message = channel, None, handler
    return consumer


@contextmanager
def harness(directory: Path) -> Iterator[Harness]:
    """With keys of its own in the directory."""
    keys = Keys.create(directory)
    samples = capture(keys)
    with memory_app(keys, "worker") as app, patch.object(consume, "DeadLetters", _Letters):
        yield Harness(app, keys, samples)


def peak_mib() -> int:
    """The most memory that this process ever had (getrusage(2), ``ru_maxrss`` in KiB on Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
