"""The Redis transport by itself, with and without kombu's prefix for all keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from queue import Empty
from typing import Any

import pytest
import redis

from safecelery.brokers.bounds import Bounds
from safecelery.brokers.connection import SafeConnection
from safecelery.testing.servers import RedisServer
from tests.integration.redis_database import own_database

pytestmark = pytest.mark.redis
DATABASE = 41
ITEM = json.dumps({"body": "W10=", "headers": {"n": 1}, "properties": {"body_encoding": "base64"}}).encode()


@pytest.fixture(params=["", "shop:"])
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with own_database(redis_server, DATABASE) as found:
        yield found


@pytest.fixture
def channel(redis_server: RedisServer, client: redis.Redis, prefix: str) -> Iterator[Any]:
    options = {"global_keyprefix": prefix, "visibility_timeout": 50}
    url = redis_server.url_for(DATABASE)
    with SafeConnection(url, ssl=redis_server.broker_ssl, transport_options=options) as connection:
        connection.bounds = Bounds(item_bytes=5000)
        yield connection.default_channel


def keys(client: redis.Redis, prefix: str) -> set[str]:
    names = {name.decode() for name in client.scan_iter()}
    assert all(name.startswith(prefix) for name in names)
    return {name.removeprefix(prefix) for name in names}


def test_what_is_got_is_held_until_it_is_acknowledged(channel: Any, client: redis.Redis, prefix: str) -> None:
    client.lpush(f"{prefix}orders", ITEM)
    message = channel.basic_get("orders")
    assert message.headers == {"n": 1}
    assert keys(client, prefix) == {"safecelery:held:orders", "safecelery:since:orders"}
    assert client.hvals(f"{prefix}safecelery:held:orders") == [ITEM]
    message.ack()
    assert keys(client, prefix) == set()
    assert channel.basic_get("orders") is None


def test_a_priority_is_kept_when_it_is_given_back(channel: Any, client: redis.Redis, prefix: str) -> None:
    key = f"{prefix}orders\x06\x163"
    client.lpush(key, ITEM)
    message = channel.basic_get("orders")
    assert message.delivery_info == {"exchange": "", "routing_key": "orders", "redelivered": False}
    message.requeue()
    assert client.lrange(key, 0, -1) == [ITEM]
    again = channel.basic_get("orders")
    assert again.delivery_info["redelivered"] is True
    again.reject()
    assert keys(client, prefix) == {"safecelery:again:orders\x06\x163"}


def test_requeued_is_last_in_line_and_restored_is_next(channel: Any, client: redis.Redis, prefix: str) -> None:
    for number in (b"first", b"second", b"third"):
        client.lpush(f"{prefix}orders", number)
    channel.basic_get("orders").requeue()
    assert client.lrange(f"{prefix}orders", 0, -1) == [b"first", b"third", b"second"]
    for _ in range(2):
        channel.basic_get("orders")
    channel.close()
    assert client.lrange(f"{prefix}orders", 0, -1) == [b"first", b"third", b"second"]
    assert not client.exists(f"{prefix}safecelery:held:orders")


def test_renewing_sweeping_parking(channel: Any, client: redis.Redis, prefix: str) -> None:
    since, parked = f"{prefix}safecelery:since:orders", f"{prefix}safecelery:parked:orders"
    client.lpush(f"{prefix}orders", ITEM, b"other")
    channel.basic_consume("orders", False, lambda message: None, "tag")
    kept, parked_one = channel.basic_get("orders"), channel.basic_get("orders")
    client.zadd(since, {kept.delivery_tag: 1})
    channel.tend()
    assert client.zscore(since, kept.delivery_tag) > 1  # renewed before it was swept
    client.hset(f"{prefix}safecelery:held:orders", "dead", b"of another")
    client.zadd(since, {"dead": 1})
    channel.held._done_at.clear()
    channel.tend()
    assert client.lrange(f"{prefix}orders", 0, -1) == [b"of another"]
    assert channel.park(parked_one, 2e9)
    assert parked_one.acknowledged
    assert client.zrange(parked, 0, -1, withscores=True) == [(b"other", 2e9)]
    assert channel.parked("orders") == 1
    client.zadd(parked, {b"other": 5})
    channel.held._done_at.clear()
    channel.tend()
    assert client.lrange(f"{prefix}orders", 0, -1) == [b"other", b"of another"]
    assert client.hkeys(f"{prefix}safecelery:held:orders") == [kept.delivery_tag.encode()]


def test_what_is_not_held_cannot_be_parked_and_what_is_gone_is_not_parked(channel: Any, client: redis.Redis) -> None:
    class Loose:
        delivery_tag = "loose"

    assert channel.park(Loose(), 2e9) is False
    assert channel.parked("orders") == 0


def test_a_large_item_is_kept_apart(channel: Any, client: redis.Redis, prefix: str) -> None:
    client.lpush(f"{prefix}orders", b"x" * 5001)
    message = channel.basic_get("orders")
    assert message.amiss is not None
    assert client.hget(f"{prefix}safecelery:oversized", message.delivery_tag) == b"x" * 5001
    message.ack()


def test_another_type_in_the_queues_place_counts_for_nothing(channel: Any, client: redis.Redis, prefix: str) -> None:
    client.set(f"{prefix}orders", "x")
    client.lpush(f"{prefix}orders\x06\x163", ITEM)
    assert channel.queue_declare("orders").message_count == 1
    assert channel.queue_purge("orders") == 1


def test_a_closed_channel_says_so_as_a_lost_connection(channel: Any, client: redis.Redis, prefix: str) -> None:
    client.lpush(f"{prefix}orders", ITEM)
    message = channel.basic_get("orders")
    channel.connection.client.close()
    channel._pool = None
    channel.held.holds(message.delivery_tag, "orders")
    with pytest.raises(channel.connection_errors):
        channel.held.ack(message.delivery_tag)


def test_an_empty_queue_raises_empty_inside(channel: Any) -> None:
    with pytest.raises(Empty):
        channel._get("orders")
