"""A database of the session's Redis that one file of tests has for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from safecelery.testing.servers import RedisServer

__all__ = ["own_database"]


@contextmanager
def own_database(server: RedisServer, number: int) -> Iterator[redis.Redis]:
    """As its administrator sees it; empty before and after."""
    url = server.admin_url.rpartition("/")[0]
    with redis.Redis.from_url(f"{url}/{number}", **server.broker_ssl or {}) as client:
        client.flushdb()
        yield client
        client.flushdb()
