"""Messages of fanout exchanges: Redis' publish/subscribe. Nobody keeps those; garbage is dropped, and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kombu.utils.encoding import bytes_to_str

from safecelery.brokers.garbage import found
from safecelery.brokers.redis_wire import addressed, envelope
from safecelery.redis_replies import Oversized

if TYPE_CHECKING:
    from typing import Any as _Base
else:
    _Base = object

__all__ = ["FanoutReader"]


class FanoutReader(_Base):
    """The part of a channel that reads subscriptions."""

    def _receive_one(self, c: Any) -> bool | None:
        """As kombu/transport/redis.py ``Channel._receive_one`` (5.7.0); what is no message of kombu's is dropped."""
        try:
            response = c.parse_response()
        except self.connection_errors:
            self._in_listen = None
            raise
        if not isinstance(response, list | tuple):
            return None
        payload = self._handle_message(c, response)
        if not bytes_to_str(payload["type"]).endswith("message") or not payload["data"]:
            return None
        topic, data = payload["channel"], payload["data"]
        if isinstance(data, Oversized):
            found(
                "publication too large to be read", "a fanout exchange", what_now=f"dropped; one has {data.size} bytes"
            )
            return None
        read = self._read_topic(topic) if isinstance(topic, bytes | str) else None
        sent = envelope(data, max_bytes=self.bounds.item_bytes) if isinstance(data, bytes) else None
        if read is None or sent is None:
            found("publication that is no message", "a fanout exchange", what_now="dropped")
            return None
        queue, exchange, routing_key = read
        message = addressed(sent, queue)
        message["properties"]["delivery_info"].update(exchange=exchange, routing_key=routing_key)
        self.connection._deliver(message, queue)
        return True

    def _read_topic(self, topic: bytes | str) -> tuple[str, str, str] | None:
        """Queue, exchange and routing key of a topic ``/{db}.exchange/routing key``; ``None`` if it is none of ours."""
        try:
            name = bytes_to_str(topic)
        except UnicodeDecodeError:
            return None
        if name.startswith("/"):
            name = name.partition(".")[2]
        exchange, _, routing_key = name.partition("/")
        queue = self._fanout_to_queue.get(exchange)
        return None if queue is None else (queue, exchange, routing_key)
