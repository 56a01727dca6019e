"""kombu's Redis transport, deaf to garbage."""

from __future__ import annotations

import logging
from typing import Any, cast

import redis
from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from kombu.utils.uuid import uuid
from redis import exceptions
from redis.exceptions import ResponseError

from safecelery.brokers.bounds import Bounds
from safecelery.brokers.garbage import found
from safecelery.brokers.redis_fanout import FanoutReader
from safecelery.brokers.redis_poller import TakingPoller
from safecelery.brokers.redis_qos import HeldQoS
from safecelery.brokers.redis_receiving import BURST, Receiver
from safecelery.brokers.redis_scripts import OVERSIZED, beside
from safecelery.brokers.redis_tables import CheckedTables
from safecelery.brokers.undecoded import Undecoded
from safecelery.redis_replies import parser

__all__ = ["RedisChannel", "RedisTransport"]

logger = logging.getLogger("safecelery")

#: Seconds between two looks at what is due (``HeldQoS.tend``).
TEND_EVERY_S = 1.0


class _Message(virtual.Message, Undecoded):
    def __init__(self, payload: dict[str, Any], channel: Any = None, **kwargs: Any) -> None:
        super().__init__(payload, channel=channel, **kwargs)
        self.amiss = payload.get("amiss")


class RedisChannel(  # pyright: ignore[reportIncompatibleMethodOverride]
    Receiver, CheckedTables, FanoutReader, kombu_redis.Channel
):
    """kombu's channel, reading every item through :func:`wire_message`."""

    Message = _Message
    QoS = HeldQoS
    oversized_key = OVERSIZED

    @property
    def bounds(self) -> Bounds:
        """Of the connection that this channel belongs to."""
        return getattr(self.connection.client, "bounds", None) or Bounds()

    @property
    def held(self) -> HeldQoS:
        """``qos``, as what it is."""
        return cast("HeldQoS", self.qos)

    def _create_client(self, asynchronous: bool = False) -> Any:
        """One client for each connection pool; kombu 5.7 makes a new one for every publish and two for every message,
        a fifth of its time. redis-py's client holds no state but its pool (redis/client.py).
        """
        if self._pool is None and getattr(self.connection, "client", None) is None:
            # kombu raises AttributeError here, which ends a worker.
            raise exceptions.ConnectionError("the connection of this channel is closed")
        if asynchronous:
            return super()._create_client(asynchronous=True)
        client = self.__dict__.get("_shared_client")
        if client is None or client.connection_pool is not self.pool:
            client = self.__dict__["_shared_client"] = super()._create_client()
        return client

    def close(self) -> None:
        """As kombu's, which gives messages back by a new connection, and leaves that open."""
        super().close()
        self._disconnect_pools()

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """As kombu's; what stands in Redis is read with a limit, whatever somebody wrote there."""
        longest = self.bounds.item_bytes
        most = (BURST + 1) * longest  # what TAKE brings, and the rest of its reply
        return {**super()._connparams(asynchronous=asynchronous), "parser_class": parser(longest, most)}

    def unbounded_client(self) -> Any:
        """For a tool that shows whatever stands in a list; whoever gets it closes its connection pool."""
        pool = redis.ConnectionPool(**super()._connparams())
        return self._get_client()(connection_pool=pool)

    # Giving back and parking ------------------------------------------------------------------------------------------

    def forget_acked(self) -> None:
        """See ``HeldQoS.forget_acked``."""
        if self._qos is not None:
            self.held.forget_acked()

    def _restore(self, message: Any, leftmost: bool = False) -> None:
        self.held.restore_by_tag(message.delivery_tag, leftmost=leftmost)

    def park(self, message: Any, due: float) -> bool:
        """Put a received message aside until ``due`` (seconds since the epoch), on the broker. It counts as settled.

        ``False``: it cannot be parked, as it is in no list.
        """
        if not self.held.park(message.delivery_tag, due):
            return False
        message._state = "ACK"
        return True

    def parked(self, queue: str) -> int:
        """How many messages of this queue wait until they are due."""
        with self._create_client().pipeline(transaction=False) as pipe:
            for step in self.priority_steps:
                key = beside("parked", self._q_for_pri(queue, step))
                pipe.execute_command("ZCARD", self.global_keyprefix + key)
            return sum(count for count in pipe.execute(raise_on_error=False) if isinstance(count, int))

    def tend(self) -> None:
        """See ``HeldQoS.tend``; what Redis answers amiss is put right, or left for the next time."""
        try:
            self.held.tend()
        except ResponseError as error:
            self._put_right(error, fatal=False)

    # Keys of the wrong type ------------------------------------------------------------------------------------------

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        """As kombu's. Dead letters get through even if somebody put something else in their place."""
        try:
            super()._put(queue, message, **kwargs)
        except ResponseError as error:
            if queue != self.bounds.dead_letters or "WRONGTYPE" not in str(error):
                raise
            count = self.held.run("CLEAR", [queue], uuid(), OVERSIZED)
            found("key of the wrong type", queue, count, what_now="renamed to safecelery:misplaced:*")
            super()._put(queue, message, **kwargs)

    def _lengths(self, queue: str, *, delete: bool = False) -> int:
        """Sum of the lengths of a queue's lists; what is no list counts for nothing."""
        with self._create_client().pipeline(transaction=delete) as pipe:
            for step in self.priority_steps:
                key = self._q_for_pri(queue, step)
                pipe.llen(key)
                if delete:
                    pipe.delete(key)
            answers = pipe.execute(raise_on_error=False)
        return sum(size for size in answers[:: 2 if delete else 1] if isinstance(size, int))

    def _size(self, queue: str) -> Any:
        return self._lengths(queue)

    def _purge(self, queue: str) -> int:
        return self._lengths(queue, delete=True)


class RedisTransport(kombu_redis.Transport):
    """kombu's Redis transport with :class:`RedisChannel`."""

    Channel = RedisChannel

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cycle = TakingPoller()

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """As kombu's, and a timer of ours; Celery cancels all of them when the connection breaks."""
        super().register_with_event_loop(connection, loop)
        cycle = self.cycle
        cycle.loop = loop
        if cycle._tend_tref is not None:
            cycle._tend_tref.cancel()
        if cycle._often_tref is not None:
            cycle._often_tref = cycle._often_tref.cancel()
        cycle._tend_tref = loop.call_repeatedly(TEND_EVERY_S, cycle.tend)
