"""The table of stores, by the scheme of their URL. A new one is a module beside this and a line in ``STORES``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from safecelery.errors import SettingsError, did_you_mean
from safecelery.stores.interface import Store

__all__ = ["STORES", "Opener", "open_store", "scheme_of"]

#: Makes a store of a URL and redis-py's TLS options. Connects to nothing yet.
Opener: TypeAlias = Callable[[str, Mapping[str, Any]], Store]


def _memory(url: str, tls: Mapping[str, Any]) -> Store:
    from safecelery.stores.memory import MemoryStore

    return MemoryStore()


def _redis(url: str, tls: Mapping[str, Any]) -> Store:
    from safecelery.stores.redis import RedisStore

    return RedisStore(url, tls)


def _sql(url: str, tls: Mapping[str, Any]) -> Store:
    try:
        from safecelery.stores.sql import SqlStore
    except ImportError as error:
        raise SettingsError("a ledger in a SQL database needs SQLAlchemy: pip install 'safecelery[sql]'") from error

    return SqlStore(url, tls)


#: Scheme of the URL, without a driver (``postgresql+psycopg``) -> how to open it.
STORES: Mapping[str, Opener] = MappingProxyType(
    {"redis": _redis, "rediss": _redis, "sqlite": _sql, "postgresql": _sql, "memory": _memory}
)


def scheme_of(url: str) -> str:
    """The scheme without a driver: ``postgresql`` of ``postgresql+psycopg://...``."""
    return url.partition("://")[0].partition("+")[0]


def open_store(url: str, tls: Mapping[str, Any]) -> Store:
    """The store behind a URL. Connects at the first use.

    Raises:
        SettingsError: the scheme is none of ``STORES``, or its library is not installed. Never shows the URL.
    """
    scheme = scheme_of(url)
    if scheme not in STORES:
        raise SettingsError(
            f"ledger.url: no store for scheme {scheme!r}{did_you_mean(scheme, STORES)}; "
            f"the schemes are {', '.join(STORES)}"
        )
    return STORES[scheme](url, tls)
