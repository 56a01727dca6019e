"""Browsing a queue of RabbitMQ: every item is consumed without an acknowledgement, and the channel closed at the end.

What is not acknowledged goes back when the channel closes, however that happens: also when this process dies. A classic
queue puts it back in its place; a quorum queue counts the delivery and hands it out again in any order (measured on
RabbitMQ 3.10), so whoever cares for the order has to sort. Meanwhile nobody else sees the items.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Hashable, Iterator
from typing import Any, cast

from safecelery.brokers.browse.interface import Found

__all__ = ["RabbitMQBrowser"]

#: Seconds to wait for the broker to put everything back: a quorum queue takes its time.
SETTLE_S = 10.0
#: Seconds without a message after which the broker is not believed to send another.
SILENCE_S = 30.0
#: Messages of one consumer.
WINDOW = 1000
#: Round trips of ``basic.get`` after which every acknowledgement is in the queue's log. A channel with more than 32
#: commands under way to a quorum queue keeps further acknowledgements to itself, sends them on when it hears of the
#: former, and forgets them when it is closed (settle/3, handle_ra_event/4 of rabbit_fifo_client.erl). basic.get goes
#: through the queue's log behind what was sent: after the first reply the former are applied, after the second the
#: channel has heard of that and sent on the rest, after the third the rest is applied.
BARRIER = 3
_NOT_FOUND = 404


class RabbitMQBrowser:
    """Consumers that fill their prefetch window, one after the other, each on a channel of its own.

    One would not do: a quorum queue sends no consumer more than 2000 unacknowledged messages, whatever its prefetch
    (rabbit_fifo.erl). ``basic.get`` would wait for an answer each time: 80 times as slow (measured, quorum queue).
    """

    def __init__(self, channel: Any, queue: str) -> None:
        self._connection = channel.connection.client
        self._channels: list[Any] = []
        self._acknowledging: set[int] = set()
        """Channels, by number, with acknowledgements that may be not in the queue's log yet."""
        self._queue = queue
        self._fetched = self._removed = 0
        self._inbox: deque[Found] = deque()

    def count(self) -> int:
        """How many are ready to be handed out; none where there is no such queue."""
        channel = self._connection.channel()
        try:
            return int(channel.queue_declare(self._queue, passive=True).message_count)
        except self._connection.channel_errors as error:
            if getattr(error, "code", None) != _NOT_FOUND:
                raise
            return 0
        finally:
            if channel.is_open:
                channel.close()

    def walk(self) -> Iterator[Found]:
        """As many as there were, in the order in which the queue hands them out.

        Raises:
            TimeoutError: the broker sends no more, though there were more. Everything goes back.
        """
        left = self.count()
        while left > 0:
            window = min(WINDOW, left)
            yield from self._window(window)
            left -= window

    def _window(self, size: int) -> Iterator[Found]:
        channel, number = self._connection.channel(), len(self._channels)
        self._channels.append(channel)

        def receive(message: Any) -> None:
            body = message.body
            data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
            self._inbox.append(Found(data, message.headers or {}, (number, message.delivery_tag)))

        channel.basic_qos(0, size, False)
        tag = channel.basic_consume(self._queue, no_ack=False, callback=receive)
        self._fetched += size  # all of them leave the queue now, read here or not
        for _ in range(size):
            while not self._inbox:
                self._connection.drain_events(timeout=SILENCE_S)
            yield self._inbox.popleft()
        channel.basic_cancel(tag)

    def remove(self, found: Found) -> bool:
        """Acknowledge it; certain when the browser is closed."""
        self._acknowledge(cast("tuple[int, int]", found.handle))
        return True

    def remove_all(self, handles: Collection[Hashable]) -> int:
        """Acknowledge them, and wait until the queue has forgotten them."""
        for handle in cast("Collection[tuple[int, int]]", handles):
            self._acknowledge(handle)
        self._until_acknowledged()
        return len(handles)

    def _acknowledge(self, handle: tuple[int, int]) -> None:
        number, tag = handle
        self._channels[number].basic_ack(tag)
        self._acknowledging.add(number)
        self._removed += 1

    def _until_acknowledged(self) -> None:
        """AMQP has no answer to an acknowledgement, so ask what is answered behind it: see :data:`BARRIER`."""
        for number in sorted(self._acknowledging):
            channel = self._channels[number]
            for _ in range(BARRIER):
                if channel.basic_get(self._queue) is not None:  # somebody's new letter: goes back with the others
                    self._fetched += 1
        self._acknowledging.clear()

    def close(self) -> None:
        """Close the channels, and wait until what was fetched is there again: the next command is to see it.

        Every acknowledgement is in the queue's log before its channel is closed, also where the walk was broken off.
        """
        try:
            self._until_acknowledged()
        finally:
            self._close_channels()

    def _close_channels(self) -> None:
        for channel in self._channels:
            if channel.is_open:
                channel.close()
        back, deadline = self._fetched - self._removed, time.monotonic() + SETTLE_S
        while back and self.count() < back and time.monotonic() < deadline:
            time.sleep(0.05)
