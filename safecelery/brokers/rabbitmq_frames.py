"""Frames of AMQP made into messages, whatever a publisher put into header and body.

amqp decodes a message's properties while it reads the frame. One that it cannot decode (a timestamp after the year
9999, text that is no UTF-8, a thousand tables in one another) raises out of the event loop, and the message comes
again with every new connection.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import unpack_from
from typing import Any

from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import UnexpectedFrame

from safecelery.brokers.spool import Spool
from safecelery.errors import Reason, Rejected

__all__ = ["ReceivedMessage", "deliver_arguments", "frame_handler"]

_CONTENT = frozenset({spec.Basic.Return, spec.Basic.Deliver, spec.Basic.GetOk})
_METHOD, _HEADER, _BODY, _HEARTBEAT = 1, 2, 3, 8


class ReceivedMessage(Message):
    """A message under way: what cannot be decoded or held is set down instead of raised."""

    amiss: Rejected | None = None
    spool: Spool | None = None

    def read_header(self, buf: bytes, limit: int) -> None:
        """As ``inbound_header`` (amqp/serialization.py), for a body of any size and properties of any kind."""
        self.body = b""
        try:
            self.inbound_header(buf)
        except Exception as error:  # noqa: BLE001  # struct, Unicode, overflow, recursion: whatever a decoder raises
            self.properties = {"safecelery-undecoded": bytes(buf)}
            detail = f"its AMQP header cannot be decoded ({type(error).__name__})"
            self.amiss = Rejected(Reason.ENVELOPE_MALFORMED, detail)
        self.body_size = unpack_from(">HxxQ", buf, 0)[1]
        self.ready = not self.body_size
        if self.body_size > limit:
            self.spool = Spool()
            detail = f"the message has {self.body_size} bytes in the queue, allowed are {limit}"
            self.amiss = Rejected(Reason.TOO_LARGE, detail)

    def read_body(self, buf: bytes) -> None:
        """As ``inbound_body``, to a file where it is too large."""
        if self.spool is None:
            self.inbound_body(buf)
            return
        self.spool.append(buf)
        self.ready = len(self.spool) >= self.body_size


def frame_handler(connection: Any, callback: Callable[..., Any]) -> Callable[[Any], bool]:
    """As amqp/method_framing.py ``frame_handler`` (5.4), with :class:`ReceivedMessage`."""
    expected: dict[int, int] = {}
    partial: dict[int, ReceivedMessage] = {}
    limit = connection.body_limit

    def finish(channel: int) -> None:
        expected[channel] = _METHOD
        message = partial.pop(channel)
        callback(channel, message.frame_method, message.frame_args, message)

    def on_frame(frame: tuple[int, int, bytes]) -> bool:
        kind, channel, buf = frame
        connection.bytes_recv += 1
        if kind == _HEARTBEAT:
            return False
        if kind != expected.get(channel, _METHOD):
            wanted = expected.get(channel, _METHOD)
            raise UnexpectedFrame(f"Received frame {kind} while expecting type: {wanted}")
        if kind == _METHOD:
            method = unpack_from(">HH", buf, 0)
            if method in _CONTENT:
                partial[channel] = ReceivedMessage(frame_method=method, frame_args=buf)
                expected[channel] = _HEADER
                return False
            callback(channel, method, buf, None)
            return True
        message = partial[channel]
        if kind == _HEADER:
            message.read_header(buf, limit)
            expected[channel] = _BODY
        else:
            message.read_body(buf)
        if message.ready:
            finish(channel)
        return message.ready

    return on_frame


def deliver_arguments(payload: bytes) -> tuple[str, int, bool, str, str]:
    """Consumer tag, delivery tag, redelivered, exchange and routing key of ``basic.deliver``.

    amqp raises on a routing key that is no UTF-8; a publisher may use any bytes. What is none is escaped.
    """
    view, offset = bytes(payload), 4
    consumer_tag, offset = _short(view, offset)
    delivery_tag, bits = unpack_from(">QB", view, offset)
    exchange, offset = _short(view, offset + 9)
    routing_key, _ = _short(view, offset)
    return consumer_tag, delivery_tag, bits & 1 == 1, exchange, routing_key


def _short(view: bytes, offset: int) -> tuple[str, int]:
    end = offset + 1 + view[offset]
    return view[offset + 1 : end].decode("utf-8", "backslashreplace"), end
