"""Receiving from Redis: waiting by the doorbell, taking by a script, and handing over."""

from __future__ import annotations

from queue import Empty
from time import monotonic
from typing import TYPE_CHECKING, Any

from kombu.utils.uuid import uuid
from redis.exceptions import InvalidResponse, ResponseError

from safecelery.brokers.garbage import found
from safecelery.brokers.redis_doorbell import Doorbell
from safecelery.brokers.redis_scripts import OVERSIZED
from safecelery.brokers.redis_wire import oversized_message, wire_message

if TYPE_CHECKING:
    from typing import Any as _Base
else:
    _Base = object

__all__ = ["BURST", "Receiver"]

#: Items taken in one turn of the event loop, so that timers and other sockets have theirs.
BURST = 16


class Receiver(_Base):
    """The part of a channel that receives from lists."""

    #: There is something to take; it was the doorbell that said so.
    _more = _rung = False
    _brpop_sent_at: float | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.doorbell = Doorbell()
        super().__init__(*args, **kwargs)

    @property
    def turns(self) -> bool:
        """An event loop turns for this channel, and its connection is not closed."""
        return self.connection is not None and self.connection.cycle.loop is not None

    def consumed_lists(self) -> list[str]:
        """The lists of the consumed queues, in the order in which they are to be read next (as kombu's)."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        return [self._q_for_pri(queue, step) for step in self.priority_steps for queue in queues]

    def _brpop_start(self, timeout: float | None = None) -> None:
        """While a list has more, take from it: one round trip for all that the worker has room for, and no item is ever
        in this process alone. The doorbell waits for the first one of an empty queue, of which one is taken at first:
        it rings at every worker that waits.
        """
        left = BURST
        while self._more and self.turns and (room := min(left, self._room())) > 0:
            most, self._rung = 1 if self._rung else room, False
            left -= self._take(most)
        lists = self.consumed_lists()
        if lists and self.qos.can_consume():
            connection = self.client.connection
            self.doorbell.ask(connection, [self.global_keyprefix + key for key in lists])
            self._in_poll, self._brpop_sent_at = connection, monotonic()
            if not self.doorbell.rings:
                self.connection.cycle.turn_often()

    def ask_again(self) -> None:
        """If it is time: an idle connection is asked now and then. Meanwhile nothing is expected from it, which is when
        kombu gives it a new token."""
        if self._in_poll and self.doorbell.is_stale:
            self._in_poll = None
            self._flush_brpop_reauth()

    def _update_queue_cycle(self) -> None:
        super()._update_queue_cycle()
        self.doorbell.moved = True

    def _room(self) -> int:
        """How many more messages may be unacknowledged; without a limit, as many as anybody takes."""
        most = self.qos.can_consume_max_estimate()
        return BURST if most is None else int(most)

    def _brpop_read(self, **options: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What the doorbell says. The next turn of the event loop takes; where none turns, one message is taken now.

        Raises:
            Empty: no message was taken.
        """
        if self._closing:
            raise Empty
        try:
            there = self.doorbell.listen(connection := self.client.connection)
        except (*self.connection_errors, InvalidResponse):
            self.client.connection.disconnect()
            if self.qos.can_consume():
                raise
            raise Empty from None  # it is made anew when there is room, and told then if that fails
        except ResponseError:
            self._in_poll = None
            raise
        if not self.doorbell.due:
            self._brpop_sent_at = None  # kombu drops a connection whose answer is overdue
        if there is not None:
            self._more = self._rung = there
            self._in_poll = None if there else connection
        if there and not self.turns and self.qos.can_consume() and self._take(1):
            return True
        raise Empty

    def _poll_error(self, type: str, **options: Any) -> Any:  # noqa: A002  # kombu's name
        return super()._poll_error(type, **options) if type == "LISTEN" else self._brpop_read()

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
