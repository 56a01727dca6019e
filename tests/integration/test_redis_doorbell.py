"""Redis: waiting for messages by a connection that says when something comes, and never what."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from redis.exceptions import ConnectionError as ConnectionLost

from safecelery.brokers import redis_doorbell
from safecelery.brokers.connection import SafeConnection
from safecelery.testing.servers import RedisServer
from tests.integration.redis_database import own_database
from tests.integration.stage import eventually

pytestmark = pytest.mark.redis
FIRST, SECOND = "waiting-first", "waiting-second"
DATABASE = 43


@pytest.fixture
def admin(own_redis_server: RedisServer) -> Iterator[redis.Redis]:
    with own_database(own_redis_server, DATABASE) as client:
        yield client


class Waiting:
    """A channel that consumes, on an event loop that turns when the test says so, or on none."""

    def __init__(self, connection: Any, admin: redis.Redis, prefix: str, *, loop: bool) -> None:
        self.admin, self.prefix, self.connection = admin, prefix, connection
        self.got: list[Any] = []
        self.channel = connection.channel()
        self.consume(FIRST)
        self.cycle = self.channel.connection.cycle
        self.timers: list[float] = []
        if loop:
            later = lambda seconds, what: self.timers.append(seconds)  # noqa: E731
            self.cycle.loop = SimpleNamespace(on_tick=(), call_repeatedly=later)

    def consume(self, queue: str) -> None:
        self.channel.basic_consume(queue, False, self.got.append, queue)

    def send(self, n: int, queue: str = FIRST) -> None:
        properties = {"delivery_tag": str(n), "delivery_info": {}, "body_encoding": "base64"}
        self.admin.lpush(
            self.prefix + queue, json.dumps({"body": "e30=", "headers": {"n": n}, "properties": properties})
        )

    def numbers(self) -> list[int]:
        return [message.headers["n"] for message in self.got]

    def turn(self, wait_s: float = 0.05) -> int:
        """A turn of the loop. How many sockets had something."""
        self.cycle.on_poll_start()
        events = self.cycle.poller.poll(wait_s) or ()
        for fileno, _ in events:
            with suppress(Empty):
                self.cycle.on_readable(fileno)
        return len(events)

    def until(self, condition: Any, what: str) -> None:
        eventually(lambda: (self.turn(), condition())[-1], what=what)

    def armed(self) -> bool:
        bell = self.channel.doorbell
        return bool(self.channel._in_poll) and not bell.due

    def count(self, command: str) -> int:
        return int(self.admin.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0))  # type: ignore[union-attr]


@contextmanager
def waiting(
    server: RedisServer, admin: redis.Redis, *, prefix: str = "", loop: bool = True, url: str = ""
) -> Iterator[Waiting]:
    options = {"global_keyprefix": prefix}
    with SafeConnection(
        url or server.url_for(DATABASE), ssl=server.broker_ssl, transport_options=options
    ) as connection:
        yield Waiting(connection, admin, prefix, loop=loop)


@pytest.fixture(params=["", "shop:"])
def line(own_redis_server: RedisServer, admin: redis.Redis, request: pytest.FixtureRequest) -> Iterator[Waiting]:
    with waiting(own_redis_server, admin, prefix=request.param) as found:
        found.until(found.armed, "it to wait")
        yield found


def test_it_rings_once_for_what_comes_and_is_asked_again(line: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_doorbell, "AGAIN_S", 3_600)
    for n in range(3):
        line.send(n)
        line.until(lambda n=n: len(line.got) > n and line.armed(), "the message")
    assert line.numbers() == [0, 1, 2]
    assert line.count("brpop") == 0


@pytest.mark.parametrize("queue", [f"{FIRST}\x06\x163", f"{FIRST}\x06\x169"])
def test_it_rings_for_every_priority(line: Waiting, queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_doorbell, "AGAIN_S", 3_600)
    line.send(1, queue)
    line.until(lambda: line.numbers() == [1], "the message")


def test_what_is_given_back_rings(line: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_doorbell, "AGAIN_S", 3_600)
    line.send(1)
    line.until(lambda: line.got and line.armed(), "the message")
    line.got[0].requeue()
    line.until(lambda: len(line.got) == 2, "the message again")


def test_whoever_rings_for_nothing_gets_nothing(line: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_doorbell, "AGAIN_S", 3_600)
    key = line.prefix + FIRST
    with line.admin.pipeline(transaction=True) as pipe:
        pipe.lpush(key, "x").delete(key).execute()
    line.until(line.armed, "it to wait again")
    line.admin.flushall()
    line.until(line.armed, "it to wait again")
    line.admin.set(key, "no list")
    line.until(lambda: not line.admin.exists(key) and line.armed(), "what is no list to give way")
    assert line.got == []
    line.send(1)
    line.until(lambda: line.numbers() == [1], "the message")


def test_another_queue_is_heard_at_once(line: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_doorbell, "AGAIN_S", 3_600)
    line.consume(SECOND)
    line.until(line.armed, "it to wait")
    line.send(1, SECOND)
    line.until(lambda: line.numbers() == [1], "the message")
    line.channel.basic_cancel(SECOND)
    line.until(line.armed, "it to wait")
    line.send(2, SECOND)
    line.send(3)
    line.until(lambda: line.numbers() == [1, 3], "the message")


def test_without_room_it_is_heard_and_nothing_is_taken(line: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that nobody reads would wake the loop up at once, for ever."""
    monkeypatch.setattr(redis_doorbell, "AGAIN_S", 3_600)
    line.channel.qos.prefetch_count = 1
    line.send(1)
    line.until(lambda: line.numbers() == [1], "the message")
    line.send(2)
    line.until(lambda: line.turn() == 0, "silence")
    before = line.count("evalsha"), line.count("exists")
    assert [line.turn(0.01) for _ in range(20)] == [0] * 20
    assert (line.count("evalsha"), line.count("exists")) == before
    assert line.numbers() == [1]
    line.got[0].ack()
    line.until(lambda: line.numbers() == [1, 2], "the next message")


def test_it_is_asked_now_and_then_although_nobody_rang(line: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    before = line.count("exists")
    monkeypatch.setattr(redis_doorbell, "AGAIN_S", 0.0)
    line.until(lambda: line.count("exists") > before + 3, "it to be asked again")


def test_a_connection_that_is_cut_is_made_anew(line: Waiting) -> None:
    line.admin.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(ConnectionLost):
        line.until(lambda: False, "the connection to be lost")
    line.send(1)
    line.until(lambda: line.numbers() == [1], "the message")


def test_a_connection_that_is_cut_while_there_is_no_room_is_made_anew_when_there_is(line: Waiting) -> None:
    line.channel.qos.prefetch_count = 1
    line.send(1)
    line.until(lambda: line.numbers() == [1], "the message")
    host, port = line.channel.client.connection._sock.getsockname()
    line.admin.client_kill_filter(addr=f"{host}:{port}")
    line.until(lambda: line.channel.client.connection._sock is None, "the connection to be lost")
    line.send(2)
    line.got[0].ack()
    line.until(lambda: line.numbers() == [1, 2], "the next message")


def test_an_answer_that_is_overdue_ends_the_connection(line: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    """kombu watches over answers. An idle connection owes none, however long it is idle."""
    connection = line.channel.client.connection
    assert line.channel._brpop_sent_at is None
    monkeypatch.setattr(connection, "send_command", lambda *command, **options: None)
    line.channel.doorbell.moved = True
    line.turn(0)
    line.cycle.maybe_check_brpop_health()
    assert connection._sock is not None
    line.channel._brpop_sent_at -= 3_600
    line.cycle.maybe_check_brpop_health()
    assert connection._sock is None


def test_without_an_event_loop_one_is_taken_at_a_time(own_redis_server: RedisServer, admin: redis.Redis) -> None:
    with waiting(own_redis_server, admin, loop=False) as line:
        with pytest.raises(socket.timeout):
            line.connection.drain_events(timeout=0.2)
        for n in range(3):
            line.send(n)
        for n in range(3):
            line.connection.drain_events(timeout=20)
            assert line.numbers() == list(range(n + 1))
        with pytest.raises(socket.timeout):
            line.connection.drain_events(timeout=0.2)


@pytest.mark.parametrize("loop", [True, False], ids=["event loop", "no event loop"])
def test_where_the_server_may_not_ring_it_is_asked_often(
    own_redis_server: RedisServer,
    admin: redis.Redis,
    loop: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(redis_doorbell, "_told", False)
    admin.execute_command("ACL", "SETUSER", "mute", "on", ">secret", "~*", "&*", "+@all", "-@dangerous",
                          "-client|tracking")  # fmt: skip
    url = f"rediss://mute:secret@localhost:{own_redis_server.port}/{DATABASE}"
    caplog.set_level(logging.WARNING, "safecelery")
    for n in range(2):
        with waiting(own_redis_server, admin, loop=loop, url=url) as line:
            take = line.turn if loop else lambda: line.connection.drain_events(timeout=1)

            def given(line: Waiting = line, take: Any = take) -> bool:
                with suppress(socket.timeout):
                    take()
                return bool(line.got)

            if loop:
                line.until(line.armed, "it to wait")
                assert line.timers == [redis_doorbell.AGAIN_WITHOUT_S]
            line.send(n)
            eventually(given, what="the message")
            line.got[0].ack()
    assert [record.message.partition(" (")[0] for record in caplog.records if "CLIENT TRACKING" in record.message] == [
        "Redis does not tell when a message comes"
    ]
    assert "+client|tracking" in caplog.text


def test_every_worker_that_waits_gets_its_part(own_redis_server: RedisServer, admin: redis.Redis) -> None:
    with waiting(own_redis_server, admin) as one, waiting(own_redis_server, admin) as other:
        for line in (one, other):
            line.until(line.armed, "it to wait")
        with admin.pipeline(transaction=True) as pipe:
            one.admin = pipe  # type: ignore[assignment]
            one.send(1)
            one.send(2)
            pipe.execute()
        for _ in range(2):  # the first turn hears, the second takes
            for line in (one, other):
                line.cycle.poller.poll(10)
                with suppress(Empty):
                    line.channel._brpop_read()
        for line in (one, other):
            line.channel.qos.prefetch_count = 1
            line.cycle.on_poll_start()
        assert sorted(one.numbers() + other.numbers()) == [1, 2]
        assert len(one.got) == len(other.got) == 1
