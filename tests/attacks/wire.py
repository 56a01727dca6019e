"""Both brokers as an attacker with the broker's password sees them: raw bytes in, raw dead letters out."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

import amqp
import redis
from kombu import Connection

from safecelery.testing.servers import RabbitServer, RedisServer
from tests.attacks.operations import DELETED, Sent

__all__ = ["Wire", "wire_to"]


class Wire(Protocol):
    """Raw access to a broker's queues."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def put(self, sent: Sent) -> tuple[bytes, ...]:
        """Send, and say which bytes a dead letter may keep as the original: the body, or all of a broken item."""
        ...

    def take(self, queue: str) -> list[bytes]:
        """All bodies in the queue, oldest first; it is empty afterwards."""
        ...

    def kept_apart(self, where: Mapping[str, Any]) -> bytes:
        """What a dead letter only names, as it is too large for one; taken away."""
        ...

    def listen(self, queue: str) -> None:
        """Have a queue of one's own."""
        ...

    def bait(self, queue: str) -> None:
        """Put something where nobody should look."""
        ...

    def taken(self, queue: str) -> bool:
        """Whether somebody looked there all the same."""
        ...

    def clear(self, *queues: str) -> None:
        """Forget what waits there, taken by a worker that is gone or not."""
        ...

    def broadcast(self, exchange: str, key: str, sent: Sent) -> None:
        """To whoever listens to the exchange."""
        ...

    def broadcast_raw(self, exchange: str, key: str, data: bytes) -> None:
        """The same without the transport's own envelope, where there is one."""
        ...


class _Redis:
    """kombu writes JSON envelopes into lists (kombu/transport/virtual/base.py, ``Channel.basic_publish``)."""

    def __init__(self, server: RedisServer, database: int) -> None:
        url = server.admin_url.rpartition("/")[0]
        self._client: Any = redis.Redis.from_url(f"{url}/{database}", **server.broker_ssl or {})
        self._database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def put(self, sent: Sent) -> tuple[bytes, ...]:
        """``LPUSH`` of the envelope."""
        item = sent.raw_item if sent.raw_item is not None else _item(sent, {"exchange": "", "routing_key": sent.queue})
        self._client.lpush(sent.queue, item)
        if sent.raw_item is not None:
            return (item,)
        return (sent.body, item, base64.b64encode(sent.body)) if sent.item_edits else (sent.body,)

    def take(self, queue: str) -> list[bytes]:
        """Newest first in the list (``LPUSH``)."""
        with self._client.pipeline(transaction=True) as pipeline:
            items, _ = pipeline.lrange(queue, 0, -1).delete(queue).execute()
        return [base64.b64decode(json.loads(item)["body"]) for item in reversed(items)]

    def kept_apart(self, where: Mapping[str, Any]) -> bytes:
        """An item that is too large for a dead letter, and taken away."""
        with self._client.pipeline(transaction=True) as pipeline:
            place = where["redis_hash"], where["field"]
            item, _ = pipeline.hget(*place).hdel(*place).execute()
        return bytes(item)

    def listen(self, queue: str) -> None:
        """A list is there once it is used."""

    def bait(self, queue: str) -> None:
        """An item vanishes where a worker takes any."""
        self._client.lpush(queue, b"bait")

    def taken(self, queue: str) -> bool:
        """It has."""
        return not self._client.exists(queue)

    def clear(self, *queues: str) -> None:
        """Queues, and what kombu holds as unacknowledged."""
        self._client.delete(*queues, "unacked", "unacked_index", "unacked_mutex")

    def broadcast(self, exchange: str, key: str, sent: Sent) -> None:
        """PUBLISH of the envelope (kombu/transport/redis.py, ``_put_fanout``)."""
        self.broadcast_raw(exchange, key, _item(sent, {"exchange": exchange, "routing_key": key}))

    def broadcast_raw(self, exchange: str, key: str, data: bytes) -> None:
        """PUBLISH of anything."""
        channel = f"/{self._database}.{exchange}" + (f"/{key}" if key else "")
        self._client.publish(channel, data)


def _item(sent: Sent, info: dict[str, str]) -> bytes:
    properties = {
        "delivery_mode": 2,
        "delivery_info": info,
        "body_encoding": "base64",
        "delivery_tag": str(uuid4()),
        **sent.properties,
    }
    item: dict[str, Any] = {
        "body": base64.b64encode(sent.body).decode(),
        "content-encoding": sent.content_encoding,
        "content-type": sent.content_type,
        "headers": sent.headers,
        "properties": properties,
    }
    for path, value in sent.item_edits:
        place = item
        for step in path[:-1]:
            place = place[step]
        if value is DELETED:
            del place[path[-1]]
        else:
            place[path[-1]] = value
    return json.dumps(item).encode()


#: Seconds until a queue that is missing is looked for again: each look costs a channel.
LOOK_AGAIN_S = 0.2


class _RabbitMQ:
    """``basic.publish`` to the default exchange, whose routing keys are queue names."""

    def __init__(self, server: RabbitServer) -> None:
        confirmed = {"confirm_publish": True}  # so that a message which the broker refuses is known by then
        self._missing_until = 0.0
        self._connection = Connection(server.url, ssl=server.broker_ssl, transport_options=confirmed)

    def __enter__(self) -> Self:
        self._channel = self._connection.channel()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.release()

    def put(self, sent: Sent) -> tuple[bytes, ...]:
        """Publish."""
        self.broadcast("", sent.queue, sent)
        return (sent.body,)

    def take(self, queue: str) -> list[bytes]:
        """``basic.get`` until the queue is empty; one that does not exist yet is."""
        found: list[bytes] = []
        if time.monotonic() < self._missing_until:
            return found
        try:
            while (message := self._channel.basic_get(queue)) is not None:
                found.append(_bytes(message.body))
                self._channel.basic_ack(message.delivery_tag)
        except self._connection.channel_errors:
            self._channel = self._connection.channel()
            self._missing_until = time.monotonic() + LOOK_AGAIN_S
        except self._connection.connection_errors:  # "noproc": a quorum queue is not there for a moment
            self._connection = self._connection.clone()
            self._channel = self._connection.channel()
        return found

    def kept_apart(self, where: Mapping[str, Any]) -> bytes:
        """The body in the queue that has those."""
        (body,) = self.take(where["queue"])
        return body

    def listen(self, queue: str) -> None:
        """Declare it."""
        self._channel.queue_declare(queue, durable=False, auto_delete=False)

    def bait(self, queue: str) -> None:
        """Nothing to do: a worker that consumes a queue declares it."""

    def taken(self, queue: str) -> bool:
        """It exists."""
        try:
            self._channel.queue_declare(queue, passive=True)
        except self._connection.channel_errors:
            self._channel = self._connection.channel()
            return False
        return True

    def clear(self, *queues: str) -> None:
        """Purge; what the dead worker held is back by then."""
        for queue in queues:
            try:
                self._channel.queue_purge(queue)
            except self._connection.channel_errors:
                self._channel = self._connection.channel()

    def broadcast(self, exchange: str, key: str, sent: Sent) -> None:
        """Publish to an exchange, if there is one: who listens has declared it."""
        if not self._declared(exchange):
            return
        assert sent.raw_item is None, "there is no envelope around an AMQP message"
        assert not sent.item_edits, "there is no envelope around an AMQP message"
        message = amqp.Message(
            sent.body,
            content_type=sent.content_type,
            content_encoding=sent.content_encoding,
            application_headers=sent.headers,
            **{"delivery_mode": 2, **sent.properties},
        )
        self._channel.basic_publish(message, exchange=exchange, routing_key=key)

    def broadcast_raw(self, exchange: str, key: str, data: bytes) -> None:
        """Bytes without any property."""
        if not self._declared(exchange):
            return
        self._channel.basic_publish(amqp.Message(data), exchange=exchange, routing_key=key)

    def _declared(self, exchange: str) -> bool:
        if exchange:
            try:
                self._channel.exchange_declare(exchange, "", passive=True)
            except self._connection.channel_errors:
                self._channel = self._connection.channel()
                return False
        return True


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def wire_to(server: RedisServer | RabbitServer, database: int) -> Wire:
    """Raw access to this server; ``database`` is Redis' own."""
    return _Redis(server, database) if isinstance(server, RedisServer) else _RabbitMQ(server)
