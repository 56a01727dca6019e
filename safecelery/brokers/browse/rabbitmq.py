"""Browsing a queue of RabbitMQ: every item is consumed without an acknowledgement, and the channel closed at the end.

What is not acknowledged goes back when the channel closes, however that happens: also when this process dies. A classic
queue puts it back in its place; a quorum queue counts the delivery and hands it out again in any order (measured on
RabbitMQ 3.10), so whoever cares for the order has to sort. Meanwhile nobody else sees the items.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Hashable, Iterator
from typing import Any

from safecelery.brokers.browse.interface import Found

__all__ = ["RabbitMQBrowser"]

#: Seconds to wait for the broker to put everything back: a quorum queue takes its time.
SETTLE_S = 10.0
#: Seconds without a message after which the broker is not believed to send another.
SILENCE_S = 30.0
_NOT_FOUND = 404


class RabbitMQBrowser:
    """A consumer without a prefetch limit: the socket's buffers are the limit, an item is read when it is asked for.

    ``basic.get`` would wait for an answer each time: 80 times as slow (measured, quorum queue).
    """

    def __init__(self, channel: Any, queue: str) -> None:
        self._connection = channel.connection.client
        self._channel = self._connection.channel()
        self._queue = queue
        self._fetched = self._removed = 0
        self._inbox: deque[Found] = deque()
        self._full = False

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
        expected = self.count()
        if not expected:
            return
        tag = self._channel.basic_consume(self._queue, no_ack=False, callback=self._receive)
        try:
            for _ in range(expected):
                while not self._inbox:
                    self._connection.drain_events(timeout=SILENCE_S)
                yield self._inbox.popleft()
        finally:
            self._full = True
            self._inbox.clear()
            if self._channel.is_open:
                self._channel.basic_cancel(tag)

    def _receive(self, message: Any) -> None:
        self._fetched += 1
        if not self._full:  # what comes after the last one goes back with the channel
            body = message.body
            data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
            self._inbox.append(Found(data, message.headers or {}, message.delivery_tag))

    def remove(self, found: Found) -> bool:
        """Acknowledge it."""
        self._channel.basic_ack(found.handle)
        self._removed += 1
        return True

    def remove_all(self, handles: Collection[Hashable]) -> int:
        """Acknowledge them."""
        for handle in handles:
            self._channel.basic_ack(handle)
        self._removed += len(handles)
        return len(handles)

    def close(self) -> None:
        """Close the channel, and wait until what was fetched is there again: the next command is to see it."""
        if not self._channel.is_open:
            return
        self._channel.close()
        back, deadline = self._fetched - self._removed, time.monotonic() + SETTLE_S
        while back and self.count() < back and time.monotonic() < deadline:
            time.sleep(0.05)
