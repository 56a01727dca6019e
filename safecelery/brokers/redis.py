"""Redis: which transport serves it, and the TLS options that really verify."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from safecelery.brokers.interface import Tls, Wire, floor_name
from safecelery.brokers.redis_channel import RedisTransport
from safecelery.policy.facts import Tri
from safecelery.policy.limits import Limits

__all__ = ["RedisBroker"]

#: Passwords that are as good as none.
DEFAULT_PASSWORDS = frozenset({"", "guest", "password", "redis", "changeme", "default"})


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

    def parked(self, connection: Any, queues: Sequence[str]) -> int:
        """In our sorted sets beside the queues."""
        return sum(connection.default_channel.parked(queue) for queue in queues)

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
