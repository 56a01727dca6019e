"""Both brokers as an attacker with the broker's password sees them: raw bytes in, raw dead letters out."""

from __future__ import annotations

import base64
import json
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

import amqp
import redis
from kombu import Connection

from safecelery.testing.servers import RabbitServer, RedisServer
from tests.attacks.operations import Sent

__all__ = ["Wire", "wire_to"]


class Wire(Protocol):
    """Raw access to a broker's queues."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def put(self, sent: Sent) -> bytes:
        """Send, and say which bytes a dead letter must have kept."""
        ...

    def take(self, queue: str) -> list[bytes]:
        """All bodies in the queue, oldest first; it is empty afterwards."""
        ...


class _Redis:
    """kombu writes JSON envelopes into lists (kombu/transport/virtual/base.py, ``Channel.basic_publish``)."""

    def __init__(self, server: RedisServer, database: int) -> None:
        url = server.admin_url.rpartition("/")[0]
        self._client = redis.Redis.from_url(f"{url}/{database}", **server.broker_ssl or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def put(self, sent: Sent) -> bytes:
        """``LPUSH`` of the envelope."""
        if sent.raw_item is not None:
            self._client.lpush(sent.queue, sent.raw_item)
            return sent.raw_item
        properties = {
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": sent.queue},
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
            **sent.properties,
        }
        item = {
            "body": base64.b64encode(sent.body).decode(),
            "content-encoding": sent.content_encoding,
            "content-type": sent.content_type,
            "headers": sent.headers,
            "properties": properties,
        }
        self._client.lpush(sent.queue, json.dumps(item))
        return sent.body

    def take(self, queue: str) -> list[bytes]:
        """Newest first in the list (``LPUSH``)."""
        with self._client.pipeline(transaction=True) as pipeline:
            items, _ = pipeline.lrange(queue, 0, -1).delete(queue).execute()
        return [base64.b64decode(json.loads(item)["body"]) for item in reversed(items)]


class _RabbitMQ:
    """``basic.publish`` to the default exchange, whose routing keys are queue names."""

    def __init__(self, server: RabbitServer) -> None:
        self._connection = Connection(server.url, ssl=server.broker_ssl)

    def __enter__(self) -> Self:
        self._channel = self._connection.channel()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.release()

    def put(self, sent: Sent) -> bytes:
        """Publish."""
        assert sent.raw_item is None, "there is no envelope around an AMQP message"
        message = amqp.Message(
            sent.body,
            content_type=sent.content_type,
            content_encoding=sent.content_encoding,
            application_headers=sent.headers,
            **{"delivery_mode": 2, **sent.properties},
        )
        self._channel.basic_publish(message, exchange="", routing_key=sent.queue)
        return sent.body

    def take(self, queue: str) -> list[bytes]:
        """``basic.get`` until the queue is empty; one that does not exist yet is."""
        found = []
        try:
            while (message := self._channel.basic_get(queue)) is not None:
                found.append(_bytes(message.body))
                self._channel.basic_ack(message.delivery_tag)
        except self._connection.channel_errors:
            self._channel = self._connection.channel()
        return found


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def wire_to(server: RedisServer | RabbitServer, database: int) -> Wire:
    """Raw access to this server; ``database`` is Redis' own."""
    return _Redis(server, database) if isinstance(server, RedisServer) else _RabbitMQ(server)
