"""A store in Redis: one Lua script and one round trip for each operation, on Redis' own clock.

Keys begin with ``safecelery:ledger:`` and ``safecelery:done:``; an account needs those and the commands ``EVALSHA``,
``SCRIPT|LOAD``, ``TIME``, ``GET``, ``SET``, ``DEL``, ``PTTL``, ``PEXPIRE`` and ``PING``, none of them in
``@dangerous``. Needs Redis 6 (``KEEPTTL``).
The server must not evict keys (``maxmemory-policy noeviction``): an entry that is gone is a message that never ran.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from safecelery.errors import StoreUnavailable
from safecelery.stores import redis_scripts as scripts
from safecelery.stores.interface import Admitted, Begun, Busy, Claim, Held, Known, Operation, Poison, Replayed

__all__ = ["LEDGER_PREFIX", "OUTCOME_PREFIX", "RedisStore"]

LEDGER_PREFIX = "safecelery:ledger:"
OUTCOME_PREFIX = "safecelery:done:"
#: Seconds until a server that does not answer counts as down: the worker's main process waits for it.
_TIMEOUT_S = 5.0


class RedisStore:
    """``redis.Redis`` underneath; the caller gives TLS options that verify chain and host name.

    Args:
        url: as kombu and redis-py spell it; ``redis+socket:///path?virtual_host=1`` too.
        tls: redis-py's ``ssl_*`` options. They win over those of the URL.
    """

    def __init__(self, url: str, tls: Mapping[str, Any]) -> None:
        self._client = redis.Redis.from_url(
            _as_redis_py(url),
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            # Once, for a connection that the server closed while it was idle. A claim that did arrive is then found
            # held, by this holder itself, until its lease ends.
            retry=Retry(NoBackoff(), 1),
        )
        self._client.connection_pool.connection_kwargs.update(tls)
        self._claim = self._client.register_script(scripts.CLAIM)
        self._renew = self._client.register_script(scripts.RENEW)
        self._complete = self._client.register_script(scripts.COMPLETE)
        self._release = self._client.register_script(scripts.RELEASE)
        self._begin = self._client.register_script(scripts.BEGIN)
        self._extend = self._client.register_script(scripts.EXTEND)
        self._keep = self._client.register_script(scripts.KEEP)
        self._abandon = self._client.register_script(scripts.ABANDON)

    @cached_property
    def _line(self) -> redis.Redis:
        """A connection that is not given back to the pool after each operation, which takes a third of its time."""
        return redis.Redis(connection_pool=self._client.connection_pool, single_connection_client=True)

    def _run(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        with _answering():
            return script(keys=keys, args=args, client=self._line)

    def claim(self, jti: str, holder: str, *, lease_s: float, ttl_s: float, max_deliveries: int) -> Claim:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        ttl_ms = _ms(max(ttl_s, 2 * lease_s))
        word, *rest = self._run(self._claim, [LEDGER_PREFIX + jti], [_us(lease_s), ttl_ms, max_deliveries, holder])
        match word, rest:
            case b"admitted", [token, delivery]:
                return Admitted(int(token), int(delivery))
            case b"replayed", []:
                return Replayed()
            case b"held", [left, by]:
                return Held(int(left) / 1e6, by.decode(errors="replace"))
            case b"poison", [deliveries]:
                return Poison(int(deliveries))
            case _:
                raise StoreUnavailable(f"the ledger answered {word!r}")

    def renew(self, held: Sequence[tuple[str, int]], lease_s: float) -> list[bool]:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        if not held:
            return []
        answers = self._run(
            self._renew,
            [LEDGER_PREFIX + jti for jti, _ in held],
            [_us(lease_s), _ms(2 * lease_s), *(token for _, token in held)],
        )
        return [answer == 1 for answer in answers]

    def complete(self, ended: Sequence[tuple[str, int]]) -> list[bool]:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        if not ended:
            return []
        answers = self._run(self._complete, [LEDGER_PREFIX + jti for jti, _ in ended], [token for _, token in ended])
        return [answer == 1 for answer in answers]

    def release(self, jti: str, token: int, *, counts: bool) -> bool:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        return bool(self._run(self._release, [LEDGER_PREFIX + jti], [token, 0 if counts else 1]))

    def begin(self, key: str, holder: str, *, lease_s: float) -> Operation:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        word, *rest = self._run(self._begin, [OUTCOME_PREFIX + key], [_ms(lease_s), holder])
        match word, rest:
            case b"begun", [token]:
                return Begun(int(token))
            case b"known", [outcome]:
                return Known(outcome)
            case b"busy", [left, by]:
                return Busy(max(0, int(left)) / 1e3, by.decode(errors="replace"))
            case _:
                raise StoreUnavailable(f"the store of outcomes answered {word!r}")

    def extend(self, key: str, token: int, lease_s: float) -> bool:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        return bool(self._run(self._extend, [OUTCOME_PREFIX + key], [token, _ms(lease_s)]))

    def keep(self, key: str, token: int, outcome: bytes, *, ttl_s: float) -> bool:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        return bool(self._run(self._keep, [OUTCOME_PREFIX + key], [token, _ms(ttl_s), outcome]))

    def abandon(self, key: str, token: int) -> bool:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        return bool(self._run(self._abandon, [OUTCOME_PREFIX + key], [token]))

    def ping(self) -> None:
        """See :class:`~safecelery.stores.interface.Store`."""
        with _answering():
            self._client.ping()

    def sweep(self) -> int:
        """Redis forgets by itself."""
        return 0

    def close(self) -> None:
        """See :class:`~safecelery.stores.interface.Store`."""
        self._client.close()
        self._client.connection_pool.disconnect()


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError) as error:
        # The text of redis-py's errors can carry the address, never the password.
        raise StoreUnavailable(f"Redis of the ledger: {type(error).__name__}: {error}") from error


def _us(seconds: float) -> int:
    return max(1, int(seconds * 1e6))


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1e3))


def _as_redis_py(url: str) -> str:
    """kombu's ``redis+socket`` as redis-py's ``unix``."""
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    database = parse_qs(parts.query).get("virtual_host", ["0"])[0]
    return f"unix://{parts.path}?db={database}"
