"""Parking on RabbitMQ: the exchanges and queues of Celery's native delayed delivery hold a message until it is due."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.messaging import Producer
from kombu.transport.native_delayed_delivery import (
    CELERY_DELAYED_DELIVERY_EXCHANGE,
    MAX_LEVEL,
    MAX_NUMBER_OF_BITS_TO_USE,
    calculate_routing_key,
    declare_native_delayed_delivery_exchanges_and_queues,
    level_name,
)

from safecelery.brokers.undecoded import Undecoded
from safecelery.message.seal import HEADER
from safecelery.message.stages import VerifiedMessage

__all__ = ["RabbitMQParking", "delayed"]

logger = logging.getLogger("safecelery")

#: First words of the routing key by which a parked message returns: of our own binding, to one queue and no other.
RETURN = "safecelery.parked"


class RabbitMQParking:
    """Publishes a message anew, to come back when it is due, and acknowledges the one that came."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._bound: set[str] = set()

    def park(self, message: Undecoded, verified: VerifiedMessage, envelope: str, ahead_s: float) -> bool:
        """Whether it is parked. The broker has confirmed the copy before the original is acknowledged.

        Only what was signed travels: ``CC`` among a message's own headers would send copies elsewhere, an expiration
        would bring it back at once, and an ``x-death`` of its last journey makes RabbitMQ take this one for a cycle
        and drop it.

        Args:
            envelope: the header that signs it.
            ahead_s: seconds until it is due.
        """
        claims, queue = verified.claims, verified.queue
        headers = {**claims.hdr, HEADER: envelope} | ({} if claims.cmp is None else {"compression": claims.cmp})
        whole = min(int(ahead_s), 2**MAX_NUMBER_OF_BITS_TO_USE - 1)
        key = f"{RETURN}.{queue}"
        if whole < 1 or len(key.encode()) + 2 * MAX_NUMBER_OF_BITS_TO_USE > 255:
            return False
        pool = self._app.pool
        with pool.acquire(block=True, timeout=self._app.conf.broker_pool_acquire_timeout) as connection:
            try:
                self._prepare(connection, queue, key)
                Producer(connection, auto_declare=False).publish(
                    verified.body,
                    exchange=level_name(MAX_LEVEL),
                    routing_key=calculate_routing_key(whole, key),
                    headers=headers,
                    content_type=claims.ct,
                    content_encoding=claims.ce,
                    delivery_mode=2,
                    mandatory=True,
                    **{name: value for name, value in claims.props.items() if value is not None},
                )
            except connection.channel_errors as error:
                logger.warning("a message of queue %s cannot be parked (%s): the worker holds it", queue,
                               type(error).__name__)  # fmt: skip
                return False
        message.ack()
        return True

    def _prepare(self, connection: Any, queue: str, key: str) -> None:
        """Once for each queue: where parked messages wait, and our way back. What is there already stays as it is."""
        if queue in self._bound:
            return
        kind = self._app.conf.broker_native_delayed_delivery_queue_type
        declare_native_delayed_delivery_exchanges_and_queues(connection, kind)
        channel = connection.channel()
        try:
            back = Exchange(CELERY_DELAYED_DELIVERY_EXCHANGE, type="topic")
            Queue(queue, no_declare=True).bind(channel).bind_to(back.name, routing_key=f"#.{key}")
        finally:
            channel.close()
        self._bound.add(queue)


def delayed(connection: Any) -> int:
    """Messages in all queues of native delayed delivery, whichever queue they return to; those that exist."""
    found = 0
    for level in range(MAX_LEVEL + 1):
        channel = connection.channel()  # a queue that is not there costs the channel
        try:
            found += channel.queue_declare(level_name(level), passive=True).message_count
            channel.close()
        except connection.channel_errors:
            continue
    return found
