"""Browsing a list of Redis: items are read by place, counted from the oldest, and removed by their exact bytes."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Collection, Hashable, Iterator
from typing import Any

from safecelery.brokers.browse.interface import Found
from safecelery.brokers.redis_wire import wire_message

__all__ = ["RedisBrowser"]

#: Items read at once: a page of the largest messages must fit in memory.
PAGE = 16
#: Bytes of one letter: a message of the largest policy, encoded twice.
LARGEST = 64 * 2**20


class RedisBrowser:
    """``LRANGE`` from the end that ``RPOP`` takes from: new items come in at the other end and move nothing."""

    def __init__(self, channel: Any, queue: str) -> None:
        self._client = channel.unbounded_client()
        self._queue = queue
        # kombu's client adds its prefix to the commands that kombu uses; LRANGE and LREM are not among them in 5.7.
        prefixed = "LRANGE" in getattr(self._client, "PREFIXED_SIMPLE_COMMANDS", ())
        self._key = queue if prefixed else f"{getattr(channel, 'global_keyprefix', '') or ''}{queue}"
        self._removed = 0

    def count(self) -> int:
        """The length of the list."""
        return int(self._client.llen(self._queue))

    def walk(self) -> Iterator[Found]:
        """Oldest first; what comes in meanwhile is left out."""
        at, left = 0, self.count()
        while left > 0:
            size = min(PAGE, left)
            page = self._client.execute_command("LRANGE", self._key, -(at + size), -(at + 1))
            self._removed = 0
            for item in reversed(page):
                yield self._found(item)
            at += len(page) - self._removed
            left = left - size if page else 0

    def _found(self, item: bytes) -> Found:
        wire = wire_message(item, self._queue, max_bytes=LARGEST)
        body = wire["body"]
        encoded = wire["properties"].get("body_encoding") == "base64"
        data = base64.b64decode(body) if encoded else body.encode("utf-8", "surrogatepass")
        return Found(data, wire["headers"], hashlib.sha256(item).digest(), item)

    def remove(self, found: Found) -> bool:
        """``LREM`` of the oldest item with these bytes."""
        gone = int(self._client.execute_command("LREM", self._key, -1, found.item)) == 1
        self._removed += gone
        return gone

    def remove_all(self, handles: Collection[Hashable]) -> int:
        """Walk again: the bytes were not kept, their digests were."""
        wanted, gone = Counter(handles), 0
        for found in self.walk() if wanted else ():
            if wanted[found.handle] > 0 and self.remove(found):
                wanted[found.handle] -= 1
                gone += 1
                if gone == len(handles):
                    break
        return gone

    def close(self) -> None:
        """Nothing was taken out that would have to go back."""
        self._client.connection_pool.disconnect()
