"""Whatever is pushed to a Redis queue becomes a well-formed message, and none of it decides about delivery."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.brokers.redis_channel import RedisChannel
from safecelery.brokers.redis_wire import wire_message
from safecelery.brokers.undecoded import Undecoded

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["body", "headers", "properties", "content-type", "content-encoding", "x"])
PROPERTIES = st.dictionaries(
    st.sampled_from(["body_encoding", "delivery_tag", "delivery_info", "priority", "reply_to"]),
    JSON | st.sampled_from(["base64", "utf-8"]),
)
ENVELOPES = st.dictionaries(NAMES, JSON | PROPERTIES | st.sampled_from(["W1tdLHt9LHt9XQ=="]))


def body_of(message: dict[str, Any]) -> bytes:
    """The body as kombu's channel will decode it (kombu/transport/virtual/base.py, ``message_to_python``)."""
    body = message["body"]
    encoded = message["properties"].get("body_encoding") == "base64"
    return base64.b64decode(body) if encoded else body.encode()


def well_formed(message: dict[str, Any], queue: str) -> None:
    assert set(message) == {"body", "headers", "content-type", "content-encoding", "properties"}
    assert isinstance(message["body"], str)
    assert isinstance(message["headers"], dict)
    assert isinstance(message["content-type"], str | None)
    assert isinstance(message["content-encoding"], str | None)
    properties = message["properties"]
    assert properties["body_encoding"] in ("base64", None) if "body_encoding" in properties else True
    assert isinstance(properties["delivery_tag"], str)
    info = properties["delivery_info"]
    assert (info["exchange"], info["routing_key"]) == ("", queue)
    assert isinstance(info["redelivered"], bool)
    assert isinstance(body_of(message), bytes)


@given(st.binary(max_size=300))
def test_any_bytes_are_kept_whole(item: bytes) -> None:
    message = wire_message(item, "orders")
    well_formed(message, "orders")


@given(JSON | ENVELOPES)
def test_any_json_becomes_a_well_formed_message(value: Any) -> None:
    item = json.dumps(value).encode()
    message = wire_message(item, "orders")
    well_formed(message, "orders")


@given(st.binary(max_size=100).filter(lambda item: not item.lstrip().startswith(b"{")))
def test_what_is_no_envelope_is_its_own_body_without_headers(item: bytes) -> None:
    message = wire_message(item, "orders")
    assert body_of(message) == item
    assert message["headers"] == {}
    assert message["content-type"] is None


HOSTILE = [
    b"", b"null", b"[]", b"5", b'"x"', b"{}", b"\xff\xfe", b"[" * 100_000, b"{" * 100_000, b"NaN",
    b'{"body": 1, "properties": {}}', b'{"body": "x", "properties": []}', b'{"body": "x", "properties": null}',
    b'{"body": "!!", "properties": {"body_encoding": "base64"}}',
    b'{"body": "x", "properties": {"body_encoding": "rot13"}}',
    b'{"body": "x", "properties": {"body_encoding": {}}}',
    b'{"body": "x", "properties": {}, "headers": []}',
    b'{"body": "x", "properties": {}, "content-type": {}}',
    b'{"body": "x", "properties": {}, "content-encoding": 5}',
    b'{"body": "\\ud800", "properties": {}}',
    b'{"body": "aGk=\\n", "properties": {"body_encoding": "base64"}}',
    b'{"body": "x", "properties": {"delivery_info": 5, "delivery_tag": {}}, "headers": null}',
    b'{"body": "' + b"9" * 5000 + b'", "properties": {"x": ' + b"9" * 5000 + b"}}",
]  # fmt: skip


@pytest.mark.parametrize("item", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_item_does_not_raise(item: bytes) -> None:
    well_formed(wire_message(item, "orders"), "orders")


def test_an_honest_message_is_kept() -> None:
    honest = {
        "body": base64.b64encode(b"[[1], {}, {}]").decode(),
        "headers": {"task": "shop.charge", "safecelery": "x.y"},
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "properties": {"body_encoding": "base64", "correlation_id": "c", "priority": 3,
                       "delivery_info": {"exchange": "e", "routing_key": "elsewhere", "redelivered": True},
                       "delivery_tag": "chosen-by-the-sender"},
    }  # fmt: skip
    message = wire_message(json.dumps(honest).encode(), "orders")
    assert body_of(message) == b"[[1], {}, {}]"
    assert message["headers"] == honest["headers"]
    assert message["properties"]["correlation_id"] == "c"
    assert message["properties"]["delivery_info"] == {"exchange": "", "routing_key": "orders", "redelivered": True}
    assert message["properties"]["delivery_tag"] != "chosen-by-the-sender"


@pytest.mark.parametrize("said", ["true", 1, {}, [True], None])
def test_redelivered_is_true_only_if_it_is_true(said: Any) -> None:
    item = {"body": "", "properties": {"delivery_info": {"redelivered": said}}}
    assert wire_message(json.dumps(item).encode(), "q")["properties"]["delivery_info"]["redelivered"] is False


def test_a_received_message_is_not_decompressed() -> None:
    message = RedisChannel.Message({"body": "eA==", "headers": {"compression": "gzip"}, "properties": {
        "body_encoding": "base64", "delivery_tag": "t", "delivery_info": {}}}, channel=_Channel())  # fmt: skip
    assert isinstance(message, Undecoded)
    assert message.body == b"x"
    assert message.headers == {"compression": "gzip"}
    assert message.errors == []


class _Channel:
    """What a virtual message asks of its channel."""

    no_ack_consumers = None

    def decode_body(self, body: str, encoding: str | None) -> bytes:
        return base64.b64decode(body)
