"""What anybody may write into Redis beside the queues is read without raising, and none of it chooses a place."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from safecelery.brokers.redis_legacy import ELSEWHERE, read_entry
from safecelery.brokers.redis_tables import read_binding
from safecelery.brokers.redis_wire import envelope, oversized_message, wire_message
from safecelery.errors import Reason

SEP = "\x06\x16"
QUEUES = ["orders", "mail"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(QUEUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=300))
def test_any_bytes_as_a_binding(member: bytes) -> None:
    read = read_binding(member, SEP)
    assert read is None or SEP.join(read).encode() == member


@given(st.text(max_size=20), st.text(max_size=20), st.text(min_size=1, max_size=20))
def test_a_binding_is_read_as_it_was_written(key: str, pattern: str, queue: str) -> None:
    if any(char in key + pattern + queue for char in SEP) or not (key + pattern + queue).isprintable():
        return
    assert read_binding(SEP.join((key, pattern, queue)).encode(), SEP) == (key, pattern, queue)


def test_a_binding_longer_than_amqp_allows_is_none() -> None:
    assert read_binding(f"{'x' * 256}{SEP}{SEP}orders".encode(), SEP) is None
    assert read_binding(b"x" * 100_000, SEP) is None


@given(st.binary(max_size=300))
def test_any_bytes_as_an_entry_of_kombus(entry: bytes) -> None:
    assert read_entry(entry, QUEUES) is None or entry.lstrip().startswith(b"[")


@given(JSON, JSON, JSON)
def test_any_json_as_an_entry_goes_to_a_queue_of_ours_or_nowhere(message: Any, exchange: Any, key: Any) -> None:
    read = read_entry(json.dumps([message, exchange, key]).encode(), QUEUES)
    if isinstance(read, tuple):
        queue, item = read
        assert queue in QUEUES
        assert queue in (exchange, key)
        assert item.decode() == json.dumps(message)


def test_an_entry_for_another_queue_is_left() -> None:
    assert read_entry(b'[{}, "", "others"]', QUEUES) is ELSEWHERE
    assert read_entry(b'[{}, "others", "others"]', QUEUES) is ELSEWHERE


def test_the_item_is_cut_out_as_it_stands() -> None:
    assert read_entry(b' [ {"a":1 ,  "b": [ ]} , "","orders"]', QUEUES) == ("orders", b'{"a":1 ,  "b": [ ]}')


def test_nothing_larger_than_the_limit_is_parsed() -> None:
    honest = b'{"body": "", "headers": {}, "properties": {}}'
    assert envelope(honest, max_bytes=len(honest)) is not None
    assert envelope(honest, max_bytes=len(honest) - 1) is None


def test_what_two_readers_may_read_differently_is_no_envelope() -> None:
    for headers in ('{"a": 1, "a": 2}', '{"a": NaN}', '{"a": -Infinity}', '{"a": {"b": 1, "b": 1}}'):
        item = f'{{"body": "", "headers": {headers}, "properties": {{}}}}'.encode()
        assert envelope(item, max_bytes=1000) is None


def test_tag_and_redelivery_are_those_of_this_process() -> None:
    item = b'{"body": "", "properties": {"delivery_tag": "x", "amiss": 1}, "amiss": 2}'
    message = wire_message(item, "orders", tag="t", redelivered=True)
    assert message["properties"]["delivery_tag"] == "t"
    assert message["properties"]["delivery_info"] == {"exchange": "", "routing_key": "orders", "redelivered": True}
    assert "amiss" not in message


def test_what_stands_for_a_large_item_says_where_it_is() -> None:
    message = oversized_message("orders", 5_000, 4_000, "t", "safecelery:oversized")
    assert message["properties"]["safecelery-kept"] == {
        "redis_hash": "safecelery:oversized",
        "field": "t",
        "bytes": 5_000,
    }
    assert message["amiss"].reason is Reason.TOO_LARGE
    assert "5000 bytes" in message["amiss"].detail
