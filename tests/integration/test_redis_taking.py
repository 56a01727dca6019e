"""Redis: what one round trip takes and forgets, on a real server and without a worker around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from kombu import Queue
from redis.exceptions import ResponseError

from safecelery.brokers.bounds import Bounds
from safecelery.brokers.connection import SafeConnection
from safecelery.brokers.redis_channel import RedisChannel
from safecelery.brokers.redis_doorbell import Doorbell
from safecelery.brokers.redis_receiving import BURST
from safecelery.brokers.redis_scripts import OVERSIZED
from safecelery.testing.servers import RedisServer
from tests.integration.redis_database import own_database
from tests.integration.stage import eventually

pytestmark = pytest.mark.redis
FIRST, SECOND = "taking-first", "taking-second"
LIMIT = 500


DATABASE = 42


@pytest.fixture
def admin(own_redis_server: RedisServer) -> Iterator[redis.Redis]:
    """Redis as its administrator sees it, with nothing of an earlier test."""
    with own_database(own_redis_server, DATABASE) as client:
        yield client


class Desk:
    """A channel whose event loop turns when the test says so."""

    def __init__(self, connection: Any, admin: redis.Redis, prefix: str) -> None:
        self.admin, self.prefix = admin, prefix
        self.got: list[Any] = []
        self.fails_at = -1
        connection.bounds = Bounds(item_bytes=LIMIT)
        self.channel: RedisChannel = connection.channel()
        for name in (FIRST, SECOND):
            self.channel.basic_consume(name, False, self.receive, name)
            Queue(name, channel=self.channel).declare()
        self.channel.connection.cycle.loop = SimpleNamespace(on_tick=())
        self.channel.qos.prefetch_count = 0

    def receive(self, message: Any) -> None:
        if len(self.got) == self.fails_at:
            raise InterruptedError
        self.got.append(message)

    def take(self, most: int) -> list[Any]:
        before = len(self.got)
        self.channel._take(most)
        return [message.headers.get("n") for message in self.got[before:]]

    def fill(self, queue: str, *numbers: int, size: int = 0) -> None:
        for n in numbers:
            properties = {"delivery_tag": str(n), "delivery_info": {}, "body_encoding": "base64"}
            item = {"body": "e30=" + "A" * size, "headers": {"n": n}, "properties": properties}
            self.admin.lpush(self.prefix + queue, json.dumps(item))

    def waiting(self, queue: str) -> int:
        return self.admin.llen(self.prefix + queue)  # type: ignore[return-value]

    def held(self, queue: str) -> int:
        count = self.admin.hlen(f"{self.prefix}safecelery:held:{queue}")
        assert self.admin.zcard(f"{self.prefix}safecelery:since:{queue}") == count
        return count  # type: ignore[return-value]

    def oversized(self) -> int:
        return self.admin.hlen(self.prefix + OVERSIZED)  # type: ignore[return-value]

    def scripts(self) -> int:
        return int(self.admin.info("commandstats")["cmdstat_evalsha"]["calls"])  # type: ignore[index]


@pytest.fixture(params=["", "shop:"])
def desk(own_redis_server: RedisServer, admin: redis.Redis, request: pytest.FixtureRequest) -> Iterator[Desk]:
    options = {"global_keyprefix": request.param}
    url, ssl = own_redis_server.url_for(DATABASE), own_redis_server.broker_ssl
    with SafeConnection(url, ssl=ssl, transport_options=options) as connection:
        yield Desk(connection, admin, request.param)


def test_several_are_taken_at_once_in_their_order_and_held(desk: Desk) -> None:
    desk.fill(FIRST, 1, 2, 3)
    desk.fill(SECOND, 4)
    assert desk.take(2) == [1, 2]
    assert (desk.held(FIRST), desk.waiting(FIRST)) == (2, 1)
    assert sorted(desk.take(10)) == [3, 4]
    assert (desk.held(FIRST), desk.held(SECOND)) == (3, 1)
    assert desk.take(10) == []


def test_what_was_acknowledged_is_forgotten_with_the_next_that_is_taken(desk: Desk) -> None:
    desk.fill(FIRST, 1, 2, 3)
    desk.take(2)
    for message in desk.got:
        message.ack()
    assert desk.held(FIRST) == 2
    before = desk.scripts()
    assert desk.take(1) == [3]
    assert desk.scripts() == before + 1
    assert desk.held(FIRST) == 1


def test_what_goes_along_with_nothing_is_forgotten_at_the_end_of_the_turn(desk: Desk) -> None:
    desk.fill(FIRST, 1)
    desk.take(1)
    desk.got[0].ack()
    desk.channel.connection.cycle.on_poll_start()
    assert desk.held(FIRST) == 0


def test_what_no_turn_comes_for_is_forgotten_when_the_channel_is_closed(desk: Desk) -> None:
    desk.fill(FIRST, 1, 2)
    desk.take(2)
    desk.got[0].ack()
    desk.channel.close()
    assert desk.held(FIRST) == 0
    assert desk.waiting(FIRST) == 1, "the one that was not acknowledged is given back"


def test_without_an_event_loop_it_is_forgotten_at_once(desk: Desk) -> None:
    desk.fill(FIRST, 1)
    desk.take(1)
    desk.channel.connection.cycle.loop = None
    desk.got[0].ack()
    assert desk.held(FIRST) == 0


def test_one_that_is_too_long_ends_what_is_taken_and_is_kept_apart(desk: Desk) -> None:
    desk.fill(FIRST, 1)
    desk.fill(FIRST, 2, size=LIMIT)
    desk.fill(FIRST, 3)
    assert desk.take(10) == [1]
    assert desk.oversized() == 0
    assert desk.take(10) == [None]
    assert desk.got[-1].amiss is not None
    assert desk.oversized() == 1
    assert desk.take(10) == [3]


def test_a_key_of_the_wrong_type_costs_nothing_that_was_taken_before_it(desk: Desk) -> None:
    desk.fill(FIRST, 1)
    desk.admin.set(desk.prefix + SECOND, "no list")
    lists = [FIRST, SECOND]
    tags = ["taking-a", "taking-b"]
    taken = desk.channel.held.take(lists, tags, limit=LIMIT)
    assert len(taken) == 1
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        desk.channel.held.take(lists, tags, limit=LIMIT)


def test_nothing_is_taken_from_a_list_beside_which_nothing_can_be_held(desk: Desk) -> None:
    desk.fill(FIRST, 1)
    desk.admin.set(f"{desk.prefix}safecelery:held:{FIRST}", "no hash")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        desk.channel.held.take([FIRST], ["taking-a"], limit=LIMIT)
    assert desk.waiting(FIRST) == 1


def test_a_server_without_memory_can_be_emptied(desk: Desk) -> None:
    desk.fill(FIRST, 1)
    desk.fill(FIRST, 2, size=LIMIT)
    before = desk.admin.config_get("maxmemory")["maxmemory"]  # type: ignore[index]
    desk.admin.config_set("maxmemory", 1)
    try:
        assert desk.take(1) == [1]
        assert desk.take(1) == [None]
        desk.got[0].ack()
        desk.channel.forget_acked()
    finally:
        desk.admin.config_set("maxmemory", before)
    assert (desk.held(FIRST), desk.oversized()) == (0, 1)


def test_of_what_the_doorbell_tells_one_is_taken_first(desk: Desk) -> None:
    """It rang at every worker that waits, and each gets its part."""
    desk.fill(FIRST, *range(5))
    takes = []
    theirs = desk.channel._take
    desk.channel._take = lambda most: takes.append(most) or theirs(most)  # type: ignore[func-returns-value]
    desk.channel.qos.prefetch_count = 4
    cycle = desk.channel.connection.cycle
    eventually(lambda: (cycle.on_poll_start(), turn(cycle), len(desk.got) == 4)[-1])
    assert takes == [1, 3]


def turn(cycle: Any) -> None:
    """What the event loop does with sockets."""
    for fileno, _ in cycle.poller.poll(0.1) or ():
        with suppress(Empty):
            cycle.on_readable(fileno)


def test_what_is_not_handed_over_any_more_is_given_back(desk: Desk) -> None:
    desk.fill(FIRST, 1, 2, 3, 4)
    desk.fails_at = 1
    with pytest.raises(InterruptedError):
        desk.take(4)
    assert [message.headers["n"] for message in desk.got] == [1]
    assert (desk.held(FIRST), desk.waiting(FIRST)) == (2, 2), "the one that failed is still held"


@pytest.mark.parametrize(("prefetch", "room"), [(0, BURST), (3, 3)])
def test_no_more_is_taken_than_there_is_room_for(
    desk: Desk, prefetch: int, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doorbell, "ask", lambda bell, connection, keys: None)
    desk.fill(FIRST, *range(BURST + 5))
    desk.channel.qos.prefetch_count = prefetch
    desk.channel._more = True
    desk.channel._brpop_start()
    assert len(desk.got) == room
