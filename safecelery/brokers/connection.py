"""The kombu connections of a hardened app: our transports, and TLS options that no URL can override."""

from __future__ import annotations

from typing import Any

from kombu.connection import Connection, ConnectionPool, PooledConnection
from kombu.utils.collections import HashedSeq

from safecelery.brokers import BROKERS
from safecelery.brokers.bounds import Bounds

__all__ = ["SafeConnection", "SafeConnectionPool"]


class SafeConnection(Connection):
    """``kombu.Connection`` whose transports are those of ``BROKERS``."""

    bounds = Bounds()
    """What its transport may read; an app's connections have those of its policy."""

    def __init__(self, *args: Any, ssl: Any = False, **kwargs: Any) -> None:
        self._ssl_given = ssl
        super().__init__(*args, ssl=ssl, **kwargs)

    def _init_params(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, ssl: Any = None, **params: Any
    ) -> None:
        """Runs at construction and at every failover. A URL's ``?ssl_cert_reqs=none`` would win over ``ssl``."""
        super()._init_params(ssl=self._ssl_given, **params)

    def get_transport_cls(self) -> type[Any]:
        """Looked up in ``BROKERS``; a scheme that is not there has no transport."""
        for broker in BROKERS:
            if self.transport_cls in broker.transports:
                return broker.transports[self.transport_cls]
        raise KeyError(f"no transport for {self.transport_cls!r}")

    def __eqhash__(self) -> HashedSeq:
        """Apart from plain connections to the same place: kombu keeps its pools by this key."""
        return HashedSeq("safecelery", *super().__eqhash__())


class _Pooled(SafeConnection, PooledConnection):  # pyright: ignore[reportIncompatibleMethodOverride]
    pass


class SafeConnectionPool(ConnectionPool):
    """kombu's pool; kombu itself would fill it with plain connections (kombu/connection.py, ``ConnectionPool.new``)."""

    def new(self) -> _Pooled:
        """A new connection with the parameters of the one the pool was made from."""
        connection = _Pooled(self, **dict(self.connection._info(resolve=False)))
        connection.bounds = self.connection.bounds
        return connection
