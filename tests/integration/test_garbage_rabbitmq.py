"""Whatever a publisher puts into an AMQP message: the same worker goes on with the same connection, and keeps it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from typing import Any

import amqp
import pytest
from amqp.exceptions import MessageNacked
from kombu import Connection

from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.lonely_stage import DEAD, QUEUE, LonelyStage, lonely_stage
from tests.integration.stage import TIMEOUT, eventually

pytestmark = pytest.mark.rabbitmq


class RawMessage(amqp.Message):
    """A message whose properties are the bytes that a publisher chose."""

    raw = b"\x00\x00"

    def _serialize_properties(self) -> bytes:
        return self.raw


@pytest.fixture(scope="module")
def stage(
    rabbitmq_server: RabbitServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LonelyStage]:
    with lonely_stage(rabbitmq_server, redis_server, tmp_path_factory.mktemp("garbage-rabbitmq")) as found:
        yield found


@pytest.fixture
def attacked(stage: LonelyStage) -> Iterator[LonelyStage]:
    pid, connections = stage.worker.pid, stage.worker.log.count("Connected to")
    yield stage
    stage.canary()
    assert stage.worker.pid == pid
    assert stage.worker.log.count("Connected to") == connections, "the worker had to connect anew"
    assert stage.worker.log.count("Traceback") == 0, stage.worker.log[-3000:]
    assert stage.depth(QUEUE) == 0


def send(stage: LonelyStage, message: amqp.Message, *, exchange: str = "", key: str | bytes = QUEUE) -> None:
    with Connection(stage.broker.url, ssl=stage.broker.broker_ssl, transport_options={"confirm_publish": True}) as link:
        link.default_channel.basic_publish(message, exchange=exchange, routing_key=key)


def is_refused(stage: LonelyStage, queue: str) -> bool:
    try:
        send(stage, amqp.Message(b"in the way"), key=queue)
    except MessageNacked:
        return True
    return False


def raw(flags: int, data: bytes, body: bytes = b"raw body") -> RawMessage:
    message = RawMessage(body)
    message.raw = struct.pack(">H", flags) + data
    return message


def table(*items: bytes) -> bytes:
    data = b"".join(items)
    return struct.pack(">I", len(data)) + data


def entry(name: bytes, value: bytes) -> bytes:
    return struct.pack("B", len(name)) + name + value


def nested(kind: bytes, depth: int) -> bytes:
    value = b"V"
    for _ in range(depth):
        value = b"F" + table(entry(b"a", value)) if kind == b"F" else b"A" + table(value)
    return value


HEADERS = 0x2000
#: Header values of every type that RabbitMQ knows, with values that do not fit into Python's. NaN, infinity and a
#: delivery mode of 255 are not among them: RabbitMQ closes the publisher's connection.
VALUES = {
    "timestamp of a far year": b"T" + struct.pack(">Q", 2**63 - 1),
    "timestamp after 9999": b"T" + struct.pack(">Q", 253_402_300_800),
    "decimal of 255 places": b"D" + struct.pack(">Bi", 255, 1),
    "text that is no UTF-8": b"S" + struct.pack(">I", 4) + b"\xff\xfe\x00\xc0",
    "bytes": b"x" + struct.pack(">I", 3) + b"\xff\xff\xff",
    "short": b"s" + struct.pack(">h", -1),
    "unsigned octet": b"B\xff",
    "long": b"l" + struct.pack(">q", -(2**63)),
    "void": b"V",
    "tables in tables": nested(b"F", 1000),
    "arrays in arrays": nested(b"A", 1000),
    "some tables in tables": nested(b"F", 200),
    "long text": b"S" + struct.pack(">I", 120_000) + b"x" * 120_000,
}
NAMES = [b"h", b"safecelery", b"task", b"compression", b"x-death", b"\xff\xfe", b"", b"x" * 255]


@pytest.mark.parametrize("name", VALUES)
def test_a_header_of_any_type_is_refused_and_kept(attacked: LonelyStage, name: str) -> None:
    names = NAMES if len(VALUES[name]) < 10_000 else NAMES[:1]
    for header in names:
        send(attacked, raw(HEADERS, table(entry(header, VALUES[name]))))
    letters = attacked.letters(len(names))
    assert [base64.b64decode(letter["original"]["body"]) for letter in letters] == [b"raw body"] * len(names)
    assert {letter["reason"] for letter in letters} <= {"envelope-missing", "envelope-malformed"}


def test_the_bytes_of_a_header_that_cannot_be_decoded_are_kept(attacked: LonelyStage) -> None:
    data = table(entry(b"h", VALUES["timestamp of a far year"]))
    send(attacked, raw(HEADERS, data))
    (letter,) = attacked.letters()
    assert letter["reason"] == "envelope-malformed"
    kept = base64.b64decode(letter["original"]["properties"]["safecelery-undecoded"]["base64"])
    assert kept.endswith(struct.pack(">H", HEADERS) + data)


#: Flag of each property that is a short string (amqp/serialization.py, ``decode_properties_basic``).
TEXTS = {"content_type": 0x8000, "content_encoding": 0x4000, "correlation_id": 0x0400, "reply_to": 0x0200,
         "message_id": 0x0080, "type": 0x0020, "app_id": 0x0008, "cluster_id": 0x0004}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    "value", [b"\xff\xfe", b"", b"\x00\n", b"x" * 255], ids=["no-utf-8", "empty", "control", "long"]
)
def test_a_property_may_be_any_text(attacked: LonelyStage, name: str, value: bytes) -> None:
    send(attacked, raw(TEXTS[name], entry(value, b"")))
    (letter,) = attacked.letters()
    assert base64.b64decode(letter["original"]["body"]) == b"raw body"


PROPERTIES: list[dict[str, Any]] = [
    {},
    {"priority": 255},
    {"content_type": "application/x-python-serialize", "content_encoding": "binary"},
    {"content_type": "application/json", "content_encoding": "utf-7"},
    {"content_type": "application/data", "content_encoding": "rot13"},
    {"expiration": "600000"},
    {"timestamp": 2**64 - 1},
    {"reply_to": "safecelery.dead-letters", "correlation_id": "\n"},
    {"application_headers": {"x-death": [{"count": 10**9, "queue": QUEUE}], "x-delivery-count": -1}},
    {"application_headers": {"x-delivery-count": "many", "redelivered": {}, "id": [], "task": None}},
    {"application_headers": {"CC": ["nowhere"], "BCC": ["nowhere"], "x-delay": "soon", "x-match": 5}},
    {"application_headers": {f"h{n}": n for n in range(5000)}},
]


@pytest.mark.parametrize("number", range(len(PROPERTIES)))
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000], ids=["empty", "bytes", "nested"])
def test_properties_of_any_kind_are_refused(attacked: LonelyStage, number: int, body: bytes) -> None:
    send(attacked, amqp.Message(body, **PROPERTIES[number]))
    (letter,) = attacked.letters()
    assert letter["reason"] == "envelope-missing"
    assert base64.b64decode(letter["original"]["body"]) == body


def test_a_routing_key_may_be_any_bytes(attacked: LonelyStage) -> None:
    with Connection(attacked.broker.url, ssl=attacked.broker.broker_ssl) as link:
        channel = link.default_channel
        channel.exchange_declare("any", "topic", durable=True, auto_delete=False)
        channel.queue_bind(QUEUE, "any", "#")
    for key in (b"\xff\xfe", b"", b"\x00", b"x" * 255):
        send(attacked, amqp.Message(b"by any key"), exchange="any", key=key)
    letters = attacked.letters(4)
    assert {letter["queue"] for letter in letters} == {QUEUE}


def test_a_body_too_large_to_be_read_is_kept_apart(attacked: LonelyStage) -> None:
    body = bytes(range(256)) * 160_000
    attacked.canary()
    attacked.forget_peak()
    before = attacked.peak_mib()
    send(attacked, amqp.Message(body))
    (letter,) = attacked.letters()
    assert letter["reason"] == "too-large"
    kept = letter["original"]["properties"]["safecelery-kept"]
    assert kept["bytes"] == len(body)
    assert attacked.peak_mib() - before < 30
    (item,) = attacked.take(kept["queue"])
    assert item.body == body
    assert item.properties["message_id"] == kept["message_id"]


def test_nor_is_it_lost_while_that_queue_is_full(attacked: LonelyStage) -> None:
    """Its letter is not published before it is kept, and the original waits until both are."""
    body, aside = bytes(range(256)) * 160_000, f"{DEAD}.oversized"
    attacked.canary()
    with Connection(attacked.broker.url, ssl=attacked.broker.broker_ssl) as link:
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": 2**31 - 1, "x-overflow": "reject-publish"}
        link.default_channel.queue_declare(aside, durable=True, auto_delete=False, arguments=arguments)
    broker = attacked.broker
    assert isinstance(broker, RabbitServer)
    room = ["-p", broker.vhost, "full"]
    broker.ctl("set_policy", *room, "oversized$", '{"max-length-bytes": 1}', "--apply-to", "queues")
    try:
        eventually(lambda: is_refused(attacked, aside), what="a full queue")
        send(attacked, amqp.Message(body))
        eventually(lambda: "cannot be kept (MessageNacked" in attacked.worker.log, what="the first attempt")
        assert attacked.depth(DEAD) == 0
    finally:
        broker.ctl("clear_policy", *room)
    (letter,) = attacked.letters()
    kept = letter["original"]["properties"]["safecelery-kept"]
    assert [item.body for item in attacked.take(aside) if item.properties.get("message_id") == kept["message_id"]] == [
        body
    ]


def test_what_waits_before_the_worker_starts_is_refused_too(stage: LonelyStage) -> None:
    """Celery swallows errors of the first read (celery/worker/loops.py, ``_quick_drain``)."""
    stage.worker.stop()
    for name in ("timestamp of a far year", "tables in tables", "text that is no UTF-8"):
        send(stage, raw(HEADERS, table(entry(b"h", VALUES[name]))))
    stage.worker = stage.start_worker("second")
    assert len(stage.letters(3)) == 3
    stage.worker.stop()
    stage.worker = stage.start_worker()


def test_it_keeps_its_rate_under_a_stream_of_garbage(stage: LonelyStage) -> None:
    with Connection(stage.broker.url, ssl=stage.broker.broker_ssl) as link:
        for _ in range(300):
            bad = raw(HEADERS, table(entry(b"h", VALUES["timestamp of a far year"])))
            link.default_channel.basic_publish(bad, exchange="", routing_key=QUEUE)
    stage.canary()
    assert len(stage.letters(300)) == 300
    eventually(lambda: stage.depth(QUEUE) == 0, timeout=TIMEOUT)
