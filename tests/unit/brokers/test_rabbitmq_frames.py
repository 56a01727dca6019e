"""Frames of any content become messages; what cannot be decoded or held is set down, never raised."""

from __future__ import annotations

import struct
from typing import Any

import amqp
import pytest
from amqp import spec
from amqp.exceptions import UnexpectedFrame
from amqp.serialization import dumps
from hypothesis import given
from hypothesis import strategies as st

from safecelery.brokers.rabbitmq_frames import ReceivedMessage, deliver_arguments, frame_handler
from safecelery.brokers.spool import Spool
from safecelery.errors import Reason

LIMIT = 1000
DELIVER = struct.pack(">HH", *spec.Basic.Deliver) + dumps("sLbss", ("tag", 7, True, "", "orders"))


class Connection:
    bytes_recv = 0
    body_limit = LIMIT


def received(*frames: tuple[int, bytes]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    on_frame = frame_handler(Connection(), lambda *what: found.append(what))
    for kind, buf in frames:
        on_frame((kind, 1, buf))
    return found


def header(size: int, properties: bytes = b"\x00\x00") -> bytes:
    return struct.pack(">HHQ", spec.Basic.CLASS_ID, 0, size) + properties


def deliver(body: bytes, properties: bytes = b"\x00\x00", pieces: int = 1) -> ReceivedMessage:
    step = max(1, -(-len(body) // pieces))
    parts = [(3, body[at : at + step]) for at in range(0, len(body), step)]
    ((channel, method, arguments, message),) = received((1, DELIVER), (2, header(len(body), properties)), *parts)
    assert (channel, method, arguments) == (1, spec.Basic.Deliver, DELIVER)
    assert isinstance(message, ReceivedMessage)
    return message


@given(st.binary(max_size=200), st.integers(1, 5))
def test_a_body_is_put_together(body: bytes, pieces: int) -> None:
    message = deliver(body, pieces=pieces)
    assert (message.body, message.amiss, message.spool) == (body, None, None)


@given(st.binary(max_size=300))
def test_any_bytes_as_properties(properties: bytes) -> None:
    message = deliver(b"body", properties)
    assert message.body == b"body"
    if message.amiss is not None:
        assert message.amiss.reason is Reason.ENVELOPE_MALFORMED
        assert message.properties["safecelery-undecoded"].endswith(properties)


def test_honest_properties_are_read_as_amqp_reads_them() -> None:
    honest = amqp.Message("", content_type="application/json", priority=3, application_headers={"task": "a"})
    message = deliver(b"body", honest._serialize_properties())
    assert message.properties == honest.properties


def test_a_timestamp_of_a_far_year_is_set_down() -> None:
    table = b"\x01hT" + b"\xff" * 8
    message = deliver(b"body", b"\x20\x00" + struct.pack(">I", len(table)) + table)
    assert message.amiss is not None
    assert message.amiss.reason is Reason.ENVELOPE_MALFORMED


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_large_body_goes_to_a_file(pieces: int) -> None:
    body = bytes(range(250)) * 5
    message = deliver(body, pieces=pieces)
    assert message.amiss is not None
    assert message.amiss.reason is Reason.TOO_LARGE
    assert message.body == b""
    assert message.spool is not None
    assert message.spool[:] == body


def test_a_body_as_large_as_allowed_is_held() -> None:
    assert deliver(b"x" * LIMIT).spool is None


def test_a_heartbeat_and_a_method_pass_and_anything_else_is_unexpected() -> None:
    ack = struct.pack(">HH", *spec.Basic.Ack)
    assert received((8, b""), (1, ack)) == [(1, spec.Basic.Ack, ack, None)]
    with pytest.raises(UnexpectedFrame):
        received((3, b""))
    with pytest.raises(UnexpectedFrame):
        received((1, DELIVER), (3, b""))


def test_where_it_was_published_to() -> None:
    assert deliver_arguments(DELIVER) == ("tag", 7, True, "", "orders")
    payload = DELIVER[:-6] + b"\xff\xfe" + DELIVER[-4:]
    assert deliver_arguments(payload) == ("tag", 7, True, "", "\\xff\\xfeders")


@given(st.lists(st.binary(max_size=50), max_size=8), st.integers(-5, 500), st.integers(-5, 500))
def test_a_spool_reads_like_bytes(chunks: list[bytes], start: int, stop: int) -> None:
    spool, whole = Spool(), b"".join(chunks)
    for chunk in chunks:
        spool.append(chunk)
    assert len(spool) == len(whole)
    assert spool[start:stop] == whole[start:stop]
    assert spool[:] == whole
    spool.close()
