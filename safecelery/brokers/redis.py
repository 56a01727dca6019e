"""Redis: kombu's transport, deaf to garbage, and the TLS options that really verify."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from queue import Empty
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.uuid import uuid

from safecelery.brokers.interface import Tls, Wire, floor_name
from safecelery.brokers.undecoded import Undecoded
from safecelery.policy.facts import Tri
from safecelery.policy.limits import Limits

__all__ = ["RedisBroker", "RedisTransport", "wire_message"]

#: Passwords that are as good as none.
DEFAULT_PASSWORDS = frozenset({"", "guest", "password", "redis", "changeme", "default"})
_TEXT = ("content-type", "content-encoding")


def wire_message(item: bytes, queue: str) -> dict[str, Any]:
    """The transport's own envelope, parsed and made well-formed.

    Everything the transport acts on is replaced by what this process knows: the delivery tag, and the
    queue the message was really popped from (``delivery_info`` in the message is only data). An item that
    is no envelope at all becomes an unsigned message with the item as its body: it takes the way of every
    other unsigned message, to the dead letters, byte for byte.
    """
    payload = _parsed(item)
    if payload is None:
        payload = {"body": base64.b64encode(item).decode(), "properties": {"body_encoding": "base64"}}
    properties = payload["properties"]
    given = properties.get("delivery_info")
    redelivered = isinstance(given, dict) and given.get("redelivered") is True
    return {
        "body": payload["body"],
        "headers": payload.get("headers") or {},
        "content-type": payload.get("content-type"),
        "content-encoding": payload.get("content-encoding"),
        "properties": {
            **properties,
            "delivery_tag": uuid(),
            "delivery_info": {"exchange": "", "routing_key": queue, "redelivered": redelivered},
        },
    }


def _parsed(item: bytes) -> dict[str, Any] | None:
    """The envelope, if it has the shape that kombu gives it (kombu/transport/virtual/base.py, ``prepare_message``)."""
    try:
        payload = json.loads(item)
        body, properties, headers = payload["body"], payload["properties"], payload.get("headers")
        encoding = properties.get("body_encoding")
        if encoding == "base64":
            base64.b64decode(body, validate=True)
        else:
            body.encode("utf-8")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    well_formed = (
        isinstance(body, str)
        and isinstance(properties, dict)
        and isinstance(headers, dict | None)
        and encoding in ("base64", None)
        and all(isinstance(payload.get(name), str | None) for name in _TEXT)
    )
    return payload if well_formed else None


class _Message(virtual.Message, Undecoded):
    pass


class RedisChannel(kombu_redis.Channel):
    """kombu's channel, reading every item through :func:`wire_message`."""

    Message = _Message

    def _create_client(self, asynchronous: bool = False) -> Any:
        """One client for each connection pool; kombu 5.7 makes a new one for every publish and two for every message,
        a fifth of its time. redis-py's client holds no state but its pool (redis/client.py).
        """
        if asynchronous:
            return super()._create_client(asynchronous=True)
        client = self.__dict__.get("_shared_client")
        if client is None or client.connection_pool is not self.pool:
            client = self.__dict__["_shared_client"] = super()._create_client()
        return client

    def _brpop_read(self, **options: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As in kombu/transport/redis.py ``Channel._brpop_read`` (5.7.0), but for the line that parses."""
        try:
            try:
                reply = self.client.parse_response(self.client.connection, "BRPOP", **options)
            except self.connection_errors:
                self.client.connection.disconnect()
                raise
            if not reply:
                raise Empty
            key, item = reply
            queue = bytes_to_str(key).rsplit(self.sep, 1)[0]
            self._queue_cycle.rotate(queue)
            self.connection._deliver(wire_message(item, queue), queue)
            return True
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()


class RedisTransport(kombu_redis.Transport):
    """kombu's Redis transport with :class:`RedisChannel`."""

    Channel = RedisChannel


class RedisBroker:
    """Redis and everything that speaks its protocol."""

    name = "redis"
    transports: Mapping[str, type[Any]] = {"redis": RedisTransport, "rediss": RedisTransport}

    def ssl_options(self, tls: Tls) -> dict[str, Any]:
        """As redis-py spells them (redis/connection.py, ``SSLConnection``)."""
        options: dict[str, Any] = {
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
            "ssl_check_hostname": True,
            "ssl_min_version": ssl.TLSVersion[tls.floor.replace(".", "_")],
        }
        if tls.ca_file:
            options["ssl_ca_certs"] = str(tls.ca_file)
        if tls.cert_file:
            options |= {"ssl_certfile": str(tls.cert_file), "ssl_keyfile": str(tls.key_file or tls.cert_file)}
        return options

    def settings(self, limits: Limits) -> dict[str, Any]:
        """Redis hands a message out again when it is unacked for ``visibility_timeout`` seconds, running or not: a
        task may take its hard limit, and as long again in the prefetch buffer behind another one.
        """
        return {"broker_transport_options": {"visibility_timeout": max(3600, int(2.5 * limits.max_time_limit_s))}}

    def wire(self, url: str, ssl: object) -> Wire:
        """``redis(s)://`` with ``True`` or ``{}`` is plain text, ``rediss://`` alone verifies nothing (measured)."""
        parts = urlsplit(url)
        local = parts.scheme == "redis+socket"
        options = ssl if isinstance(ssl, dict) else {}
        overridden = any(name.startswith("ssl_") for name in parse_qs(parts.query))
        tls: Tri = bool(options) or (parts.scheme == "rediss" and ssl is not True and ssl != {})
        return Wire(
            tls=tls,
            verified=tls and not overridden and _required(options.get("ssl_cert_reqs")),
            host_checked=tls and not overridden and options.get("ssl_check_hostname") is True,
            tls_floor=floor_name(options.get("ssl_min_version"), tls=tls),
            local=local,
            password=_password(parts.username, parts.password),
        )


def _required(value: object) -> bool:
    return value in (ssl.CERT_REQUIRED, "required", "CERT_REQUIRED")


def _password(user: str | None, password: str | None) -> Literal["none", "default", "set"]:
    if not password:
        return "none"
    return "default" if password in DEFAULT_PASSWORDS or password == user else "set"
