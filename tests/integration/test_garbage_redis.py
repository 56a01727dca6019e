"""Whatever somebody with Redis' password writes there: the same worker goes on, and what it was given is kept."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from service.factory import make_app

from safecelery.testing.servers import RedisServer
from tests.integration.lonely_stage import DEAD, QUEUE, LonelyStage, lonely_stage
from tests.integration.stage import TIMEOUT, eventually, let_go

pytestmark = pytest.mark.redis
HELD, SINCE, AGAIN, PARKED = (f"safecelery:{kind}:{QUEUE}" for kind in ("held", "since", "again", "parked"))
HIGH = f"{QUEUE}\x06\x163"
OVERSIZED = "safecelery:oversized"


@pytest.fixture(scope="module")
def stage(
    own_redis_server: RedisServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LonelyStage]:
    directory = tmp_path_factory.mktemp("garbage")
    with lonely_stage(own_redis_server, redis_server, directory, SERVICE_VISIBILITY="100") as found:
        yield found


@pytest.fixture
def client(stage: LonelyStage) -> Iterator[redis.Redis]:
    pid = stage.worker.pid
    with stage.admin() as client:
        client.delete(DEAD, OVERSIZED)
        yield client
    stage.canary()
    assert stage.worker.pid == pid
    assert "Restoring" not in stage.worker.log
    assert stage.worker.log.count("Traceback") == 0, stage.worker.log[-3000:]


def envelope(**changes: Any) -> bytes:
    members: dict[str, Any] = {"body": "W10=", "headers": {}, "properties": {"body_encoding": "base64"}}
    return json.dumps(members | changes).encode()


#: Items that are no envelope, or one that two readers might read differently: each is its own dead letter's body.
NO_ENVELOPE = {
    "empty": b"",
    "zero": b"\x00",
    "text": b"not json",
    "no text": b"\xff\xfe\x00",
    "utf-16": envelope().decode().encode("utf-16"),
    "null": b"null",
    "list": b"[]",
    "object": b"{}",
    "lists in lists": b"[" * 200_000,
    "objects in objects": b'{"a":' * 200_000,
    "closed lists": b"[" * 50_000 + b"]" * 50_000,
    "member twice": b'{"body": "", "body": "W10=", "headers": {}, "properties": {}}',
    "header twice": b'{"body": "", "headers": {"a": 1, "a": 2}, "properties": {}}',
    "NaN": b'{"body": "", "headers": {"a": NaN}, "properties": {}}',
    "infinity": b'{"body": "", "headers": {"a": -Infinity}, "properties": {}}',
    "digits": b'{"body": "", "headers": {"a": ' + b"9" * 5000 + b'}, "properties": {}}',
    "no properties": b'{"body": "W10="}',
    "properties a list": envelope(properties=[]),
    "body a number": envelope(body=5),
    "body no base64": envelope(body="!!!"),
    "unknown encoding": envelope(properties={"body_encoding": "rot13"}),
    "encoding an object": envelope(properties={"body_encoding": {}}),
    "headers a list": envelope(headers=[]),
    "content type an object": json.dumps(json.loads(envelope()) | {"content-type": {}}).encode(),
    "half a character": b'{"body": "\\ud800", "headers": {}, "properties": {}}',
}
#: Envelopes whose parts are hostile: the body is kept, and nothing else matters.
ENVELOPES = {
    "properties of wrong types": envelope(
        properties={"body_encoding": "base64", "delivery_tag": [], "delivery_info": 5, "priority": {}, "reply_to": [],
                    "correlation_id": {}, "delivery_mode": "x", "expiration": {}}
    ),
    "names": envelope(headers={"\n": 1, "": 2, "__class__": 3, "\x00": 4, "\ud800": 5, "a" * 10_000: 6}),
    "deep header": envelope(headers={"a": json.loads("[" * 500 + "]" * 500)}),
    "many headers": envelope(headers={f"h{n}": n for n in range(20_000)}),
    "large header": envelope(headers={"a": "b" * 2_000_000}),
    "compression": envelope(headers={"compression": "gzip"}),
    "hostile priority": envelope(properties={"body_encoding": "base64", "priority": 10**40}),
}  # fmt: skip


@pytest.mark.parametrize("key", [QUEUE, HIGH])
@pytest.mark.parametrize("name", NO_ENVELOPE)
def test_what_is_no_message_becomes_a_dead_letter(stage: LonelyStage, client: redis.Redis, name: str, key: str) -> None:
    client.lpush(key, NO_ENVELOPE[name])
    (letter,) = stage.letters()
    assert letter["reason"] == "envelope-missing"
    assert letter["queue"] == QUEUE
    assert base64.b64decode(letter["original"]["body"]) == NO_ENVELOPE[name]


@pytest.mark.parametrize("name", ENVELOPES)
def test_hostile_envelopes_are_refused(stage: LonelyStage, client: redis.Redis, name: str) -> None:
    client.lpush(QUEUE, ENVELOPES[name])
    (letter,) = stage.letters()
    assert letter["reason"] == "envelope-missing"
    assert base64.b64decode(letter["original"]["body"]) == b"[]"


def fill(kind: str, client: redis.Redis, key: str) -> None:
    client.delete(key)
    match kind:
        case "string":
            client.set(key, "garbage")
        case "hash":
            client.hset(key, "a", "b")
        case "list":
            client.rpush(key, "garbage")
        case "set":
            client.sadd(key, "garbage")
        case _:
            client.zadd(key, {"garbage": 0})


@pytest.mark.parametrize("kind", ["string", "hash", "set", "sorted set"])
@pytest.mark.parametrize("key", [QUEUE, HIGH, HELD, SINCE, AGAIN, PARKED, DEAD, OVERSIZED, f"_kombu.binding.{QUEUE}"])
def test_a_key_of_the_wrong_type_gives_way(stage: LonelyStage, client: redis.Redis, key: str, kind: str) -> None:
    right = {HELD: "hash", SINCE: "sorted set", AGAIN: "sorted set", PARKED: "sorted set", OVERSIZED: "hash",
             f"_kombu.binding.{QUEUE}": "set"}.get(key, "list")  # fmt: skip
    if kind == right:
        return
    fill(kind, client, key)
    if key in (QUEUE, HIGH, PARKED):
        eventually(lambda: not client.exists(key), what="the key to give way")
        assert any(key.encode() in name for name in client.scan_iter("safecelery:misplaced:*"))
    client.lpush(HIGH, b"garbage beside it")
    (letter,) = stage.letters()
    assert base64.b64decode(letter["original"]["body"]) == b"garbage beside it"
    stage.canary()
    client.delete(f"_kombu.binding.{QUEUE}", *client.scan_iter("safecelery:misplaced:*"))


@pytest.mark.parametrize("name", ["binding", "binding_permanent"])
def test_a_binding_table_of_the_wrong_type_stops_no_new_process(
    stage: LonelyStage, client: redis.Redis, name: str
) -> None:
    key = f"_kombu.{name}.{QUEUE}"
    fill("string", client, key)
    fresh = make_app(stage.settings("producer"), set_as_current=False)
    assert fresh.tasks["service.add"].delay(70_000, 7).get(timeout=TIMEOUT) == 70_007
    let_go(fresh)
    assert client.type(key) == b"set"
    client.delete(*client.scan_iter("safecelery:misplaced:*"))


def test_what_somebody_wrote_among_the_held_comes_back_to_this_queue_only(
    stage: LonelyStage, client: redis.Redis
) -> None:
    client.hset(HELD, "tag\xff\n", b"held garbage")
    client.zadd(SINCE, {"tag\xff\n": 0, "no item": 0, "never": float("inf")})
    (letter,) = stage.letters()
    assert base64.b64decode(letter["original"]["body"]) == b"held garbage"
    eventually(lambda: client.zcard(SINCE) == 1)
    client.delete(SINCE)


def test_garbage_among_the_parked_becomes_a_dead_letter(stage: LonelyStage, client: redis.Redis) -> None:
    client.zadd(PARKED, {b"parked garbage \xff": 0, b"later": float("inf")})
    (letter,) = stage.letters()
    assert base64.b64decode(letter["original"]["body"]) == b"parked garbage \xff"
    client.delete(PARKED)


#: Entries of kombu's own hash that are none, and must come out as dead letters of this queue.
UNACKED = {
    "no json": b"garbage",
    "no text": b"\xff\xfe",
    "number": b"5",
    "two members": b'[{}, ""]',
    "members of wrong types": b'[1, 2, 3]',
    "message a list": f'[[], "", "{QUEUE}"]'.encode(),
    "lists in lists": b"[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", UNACKED)
def test_garbage_among_kombus_unacknowledged_becomes_a_dead_letter(
    stage: LonelyStage, client: redis.Redis, name: str
) -> None:
    client.hset("unacked", "t", UNACKED[name])
    client.zadd("unacked_index", {"t": 0})
    (letter,) = stage.letters()
    assert base64.b64decode(letter["original"]["body"]) == UNACKED[name]
    eventually(lambda: not client.exists("unacked", "unacked_index"))


@pytest.mark.parametrize(("exchange", "key"), [("", QUEUE), (None, QUEUE), (QUEUE, QUEUE), (QUEUE, "other")], ids=str)
def test_kombus_message_of_this_queue_comes_back(
    stage: LonelyStage, client: redis.Redis, exchange: str | None, key: str
) -> None:
    client.hset("unacked", "t", b"[" + envelope(body="Zm9v") + b", " + json.dumps([exchange, key])[1:].encode())
    client.zadd("unacked_index", {"t": 0, b"\xff no entry": 0})
    (letter,) = stage.letters()
    assert base64.b64decode(letter["original"]["body"]) == b"foo"
    eventually(lambda: not client.exists("unacked", "unacked_index"))


def test_kombus_message_of_another_queue_stays(stage: LonelyStage, client: redis.Redis) -> None:
    client.hset("unacked", "t", b'[{"body": ""}, "", "victim"]')
    client.hset("unacked", "ours", b"garbage")
    client.zadd("unacked_index", {"t": 0, "ours": 1})
    stage.letters()
    assert client.hkeys("unacked") == [b"t"]
    assert not client.exists("victim")
    client.delete("unacked", "unacked_index")


def test_a_large_entry_of_kombus_is_kept_apart(stage: LonelyStage, client: redis.Redis) -> None:
    client.hset("unacked", "t", b"[" + b"1," * 6_000_000)
    client.zadd("unacked_index", {"t": 0})
    eventually(lambda: client.hexists(OVERSIZED, "t"))
    assert not client.exists("unacked")


@pytest.mark.parametrize("key", ["unacked", "unacked_index"])
def test_kombus_keys_of_the_wrong_type_are_left_alone(stage: LonelyStage, client: redis.Redis, key: str) -> None:
    client.set(key, "garbage")
    client.zadd("unacked_index" if key == "unacked" else "other", {"t": 0})
    before = stage.worker.log.count("unusable key")
    eventually(lambda: stage.worker.log.count("unusable key") > before)
    assert client.get(key) == b"garbage"
    client.delete("unacked", "unacked_index", "other")


BINDINGS = [
    b"", b"one", b"a\x06\x16b", b"a\x06\x16b\x06\x16c\x06\x16d", b"\xff\x06\x16\x06\x16q", b"\x06\x16(\x06\x16q",
    b"x" * 5000, b"lonely\x06\x16((((\x06\x16lonely", b"lonely\x06\x16\x06\x16",
]  # fmt: skip


def test_garbage_among_the_bindings_is_not_followed(stage: LonelyStage, client: redis.Redis) -> None:
    client.sadd(f"_kombu.binding.{QUEUE}", *BINDINGS)
    stage.canary()
    client.srem(f"_kombu.binding.{QUEUE}", *BINDINGS)


def publish(topic: bytes) -> Callable[[redis.Redis], None]:
    def send(client: redis.Redis) -> None:
        for data in (*NO_ENVELOPE.values(), b"x" * 10_000_000):
            client.publish(topic, data)

    return send


TOPICS = [b"/0.celery.pidbox", b"/0.celeryev/worker.heartbeat", b"/0.celeryev/worker.\xff", b"/0.celeryev/\n"]


@pytest.mark.parametrize("topic", TOPICS, ids=repr)
def test_publications_that_are_no_messages_are_dropped(stage: LonelyStage, client: redis.Redis, topic: bytes) -> None:
    publish(topic)(client)


def test_it_keeps_its_rate_under_a_stream_of_garbage(stage: LonelyStage, client: redis.Redis) -> None:
    for number in range(1000):
        client.lpush(QUEUE, b"garbage %d" % number)
    stage.canary()
    assert len(stage.letters(1000)) == 1000
