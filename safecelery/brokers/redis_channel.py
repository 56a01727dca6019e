"""kombu's Redis transport, deaf to garbage."""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any, cast

from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.uuid import uuid
from redis import exceptions
from redis.exceptions import ResponseError

from safecelery.brokers.bounds import Bounds
from safecelery.brokers.garbage import found
from safecelery.brokers.redis_fanout import FanoutReader
from safecelery.brokers.redis_poller import TakingPoller
from safecelery.brokers.redis_qos import HeldQoS
from safecelery.brokers.redis_scripts import OVERSIZED, beside
from safecelery.brokers.redis_tables import CheckedTables
from safecelery.brokers.redis_wire import oversized_message, wire_message
from safecelery.brokers.undecoded import Undecoded

__all__ = ["RedisChannel", "RedisTransport"]

logger = logging.getLogger("safecelery")

#: Items taken in one turn of the event loop, so that timers and other sockets have theirs.
BURST = 16
#: Seconds between two looks at what is due (``HeldQoS.tend``).
TEND_EVERY_S = 1.0


class _Message(virtual.Message, Undecoded):
    def __init__(self, payload: dict[str, Any], channel: Any = None, **kwargs: Any) -> None:
        super().__init__(payload, channel=channel, **kwargs)
        self.amiss = payload.get("amiss")


class RedisChannel(CheckedTables, FanoutReader, kombu_redis.Channel):
    """kombu's channel, reading every item through :func:`wire_message`."""

    Message = _Message
    QoS = HeldQoS
    oversized_key = OVERSIZED
    #: The list that the last item came from has more.
    _more = False

    @property
    def bounds(self) -> Bounds:
        """Of the connection that this channel belongs to."""
        return getattr(self.connection.client, "bounds", None) or Bounds()

    @property
    def held(self) -> HeldQoS:
        """``qos``, as what it is."""
        return cast("HeldQoS", self.qos)

    @property
    def turns(self) -> bool:
        """An event loop turns for this channel, and its connection is not closed."""
        return self.connection is not None and self.connection.cycle.loop is not None

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

    # Receiving ------------------------------------------------------------------------------------------------------

    def consumed_lists(self) -> list[str]:
        """The lists of the consumed queues, in the order in which they are to be read next (as ``_brpop_start``)."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        return [self._q_for_pri(queue, step) for step in self.priority_steps for queue in queues]

    def _brpop_start(self, timeout: float | None = None) -> None:
        """While a list has more, take from it: one round trip for all that the worker has room for, and no item is ever
        in this process alone. ``BRPOP`` waits for the first one of an empty queue.
        """
        left = BURST
        while self._more and self.turns and (room := min(left, self._room())) > 0:
            left -= self._take(room)
        if self.qos.can_consume():
            super()._brpop_start(timeout)

    def _room(self) -> int:
        """How many more messages may be unacknowledged; without a limit, as many as anybody takes."""
        most = self.qos.can_consume_max_estimate()
        return BURST if most is None else int(most)

    def _brpop_read(self, **options: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As in kombu/transport/redis.py ``Channel._brpop_read`` (5.7.0), but for what becomes of the item."""
        try:
            try:
                reply = self.client.parse_response(self.client.connection, "BRPOP", **options)
            except ResponseError as error:
                self._put_right(error)
                raise Empty from None
            except self.connection_errors:
                self.client.connection.disconnect()
                raise
            if not reply:
                raise Empty
            self._receive_popped(bytes_to_str(reply[0]), reply[1])
            return True
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()

    def _take(self, most: int) -> int:
        """Take so many items and hand them over. Returns how many there were."""
        items = self._take_from(self.consumed_lists(), most)
        self._more = self._more and bool(items)
        self.connection.cycle.taken += len(items)
        for number, (message, key) in enumerate(items):
            try:
                self._hand_over(message, key)
            except BaseException:  # also when the worker is told to stop
                for later, _ in items[number + 1 :]:
                    self.held.restore_by_tag(later["properties"]["delivery_tag"])
                raise
        return len(items)

    def _take_from(self, lists: list[str], most: int) -> list[tuple[dict[str, Any], str]]:
        """The next items of these lists, held, each with the list it came from."""
        tags, limit = [uuid() for _ in range(most)], self.bounds.item_bytes
        try:
            taken = self.held.take(lists, tags, limit=limit)
        except ResponseError as error:
            self._put_right(error)
            return []
        items = []
        for tag, (number, item, again, left) in zip(tags, taken, strict=False):
            key = lists[number - 1]
            self._more = left > 0
            queue = self._queue_of(key)
            if isinstance(item, int):
                items.append((oversized_message(queue, item, limit, tag, OVERSIZED), key))
            else:
                self.held.holds(tag, key)
                items.append((wire_message(item, queue, tag=tag, redelivered=again == 1, max_bytes=limit), key))
        return items

    def _receive_popped(self, key: str, item: bytes) -> None:
        """What ``BRPOP`` has brought is in no other place now: hold it, then look at it."""
        tag, limit, queue = uuid(), self.bounds.item_bytes, self._queue_of(key)
        again = 0
        for attempt in (1, 2):
            try:
                again, left = self.held.run("HOLD", [key], tag, limit, OVERSIZED, item)
                self._more = left > 0
                if len(item) <= limit:
                    self.held.holds(tag, key)
                break
            except ResponseError as error:
                self._put_right(error, fatal=False)
                if attempt == 2:
                    logger.error("Redis refuses to hold a message of queue %s (%s): it is handled now or lost", queue,
                                 type(error).__name__)  # fmt: skip
        if len(item) > limit:
            size, item = len(item), b""
            self._hand_over(oversized_message(queue, size, limit, tag, OVERSIZED), key)
            return
        self._hand_over(wire_message(item, queue, tag=tag, redelivered=again == 1, max_bytes=limit), key)

    def _hand_over(self, message: dict[str, Any], key: str) -> None:
        queue = self._queue_of(key)
        self._queue_cycle.rotate(queue)
        callback = self.connection._callbacks.get(queue)
        if callback is None:  # cancelled meanwhile
            self.held.restore_by_tag(message["properties"]["delivery_tag"])
            return
        callback(message)

    def _queue_of(self, key: str) -> str:
        return key.rsplit(self.sep, 1)[0]

    def _get(self, queue: str) -> dict[str, Any]:
        """``basic.get``: the same, without waiting."""
        items = self._take_from([self._q_for_pri(queue, step) for step in self.priority_steps], 1)
        self._maybe_update_queues_expire(self._create_client(), queue)
        if not items:
            raise Empty
        return items[0][0]

    def _put_right(self, error: ResponseError, *, fatal: bool = True) -> None:
        """Something else than a list stands where a queue should be: put it aside, so that the others go on.

        Raises:
            ResponseError: as it came, if it says anything else.
        """
        if "WRONGTYPE" not in str(error):
            if fatal:
                raise error
            return
        lists = self.consumed_lists()
        if lists:
            count = self.held.run("CLEAR", lists, uuid(), OVERSIZED)
            found("key of the wrong type", "a consumed queue", count, what_now="renamed to safecelery:misplaced:*")

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
        cycle._tend_tref = loop.call_repeatedly(TEND_EVERY_S, cycle.tend)
