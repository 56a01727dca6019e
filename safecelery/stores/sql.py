"""A store in a SQL database, by SQLAlchemy (extra ``sql``): SQLite on one host, PostgreSQL for many.

Each operation is one statement that reads and writes under the row's own lock (``INSERT ... ON CONFLICT DO UPDATE ...
WHERE ... RETURNING``, ``UPDATE ... WHERE ... RETURNING``), so two workers can never both see a row before either wrote
it. Only where that statement found nothing to do, a second one in the same transaction asks why. Times are
microseconds of the database's clock; a token is the time of its claim, or one more than the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, CursorResult, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from safecelery.errors import StoreUnavailable
from safecelery.stores import sql_statements as statements
from safecelery.stores.interface import Admitted, Begun, Busy, Claim, Held, Known, Operation, Poison, Replayed

__all__ = ["SqlStore"]

#: Seconds until a database that does not answer counts as down.
_TIMEOUT_S = 5
#: How often a claim looks again when the entry changed between its two statements.
_LOOKS = 5
#: Rows that one sweep deletes at most, so that nobody waits for it.
_SWEPT = 10_000


class SqlStore:
    """Two tables, ``safecelery_ledger`` and ``safecelery_outcomes``, made at the first use if they are not there.

    Args:
        url: as SQLAlchemy spells it: ``sqlite:////var/lib/orders/ledger.db``, ``postgresql+psycopg://...``.
        tls: not used; a database's URL says how to verify it (``sslmode=verify-full``).
    """

    def __init__(self, url: str, tls: Mapping[str, Any]) -> None:
        parsed = make_url(url)
        lite = parsed.get_backend_name() == "sqlite"
        arguments: dict[str, Any] = {"timeout": _TIMEOUT_S} if lite else {"connect_timeout": _TIMEOUT_S}
        if not lite:
            arguments["options"] = f"-c statement_timeout={_TIMEOUT_S * 1000}"
        self._engine = create_engine(
            parsed,
            connect_args=arguments,
            pool_pre_ping=not lite,
            **({} if lite else {"isolation_level": "READ COMMITTED"}),
        )
        if lite:
            event.listen(self._engine, "connect", _shared_file)
        self._sql = statements.SQLITE if lite else statements.POSTGRESQL
        self._ready = False

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            if not self._ready:
                self._create()
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreUnavailable(f"database of the ledger: {type(cause).__name__}") from error

    def _create(self) -> None:
        """Two processes may do so at once; whoever comes second finds them made."""
        for table, statement in self._sql.tables.items():
            try:
                with self._engine.begin() as connection:
                    if not inspect(connection).has_table(table):
                        connection.execute(text(statement))
            except SQLAlchemyError:
                with self._engine.connect() as connection:
                    if not inspect(connection).has_table(table):
                        raise
        self._ready = True

    def _one(self, connection: Connection, statement: str, **values: Any) -> Any:
        result: CursorResult[Any] = connection.execute(text(statement), values)
        return result.first()

    def _changed(self, statement: str, **values: Any) -> bool:
        with self._transaction() as connection:
            return self._one(connection, statement, **values) is not None

    def claim(self, jti: str, holder: str, *, lease_s: float, ttl_s: float, max_deliveries: int) -> Claim:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        ttl = _us(max(ttl_s, 2 * lease_s))
        for _ in range(_LOOKS):
            with self._transaction() as connection:
                row = self._one(
                    connection,
                    self._sql.claim,
                    jti=jti,
                    holder=holder,
                    lease=_us(lease_s),
                    ttl=ttl,
                    most=max_deliveries,
                )
                if row is not None:
                    return Admitted(int(row.token), int(row.deliveries))
                row = self._one(connection, self._sql.look, jti=jti)
            if row is None or (row.state != "done" and row.remaining <= 0 and row.deliveries < max_deliveries):
                continue  # it was given back in between
            if row.state == "done":
                return Replayed()
            if row.state == "held" and row.remaining > 0:
                return Held(row.remaining / 1e6, row.holder)
            return Poison(int(row.deliveries))
        raise StoreUnavailable("database of the ledger: an entry changes faster than it can be read")

    def _each(self, statement: str, rows: Sequence[tuple[str, int]], **values: int) -> list[bool]:
        """Which of these messages and tokens the statement changed; in one transaction."""
        if not rows:
            return []
        with self._transaction() as connection:
            # In one order for everybody: two that wait for each other's rows would be a deadlock.
            changed = {
                (jti, token)
                for jti, token in sorted(rows)
                if self._one(connection, statement, jti=jti, token=token, **values) is not None
            }
        return [row in changed for row in rows]

    def renew(self, held: Sequence[tuple[str, int]], lease_s: float) -> list[bool]:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        return self._each(self._sql.renew, held, lease=_us(lease_s), ttl=_us(2 * lease_s))

    def complete(self, ended: Sequence[tuple[str, int]]) -> list[bool]:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        return self._each(self._sql.complete, ended)

    def release(self, jti: str, token: int, *, counts: bool) -> bool:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        return self._changed(self._sql.release, jti=jti, token=token, unused=0 if counts else 1)

    def begin(self, key: str, holder: str, *, lease_s: float) -> Operation:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        for _ in range(_LOOKS):
            with self._transaction() as connection:
                row = self._one(connection, self._sql.begin, key=key, holder=holder, lease=_us(lease_s))
                if row is not None:
                    return Begun(int(row.token))
                row = self._one(connection, self._sql.look_outcome, key=key)
            if row is not None and row.remaining > 0:
                return Busy(row.remaining / 1e6, row.holder) if row.outcome is None else Known(bytes(row.outcome))
        raise StoreUnavailable("database of the ledger: an operation changes faster than it can be read")

    def extend(self, key: str, token: int, lease_s: float) -> bool:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        return self._changed(self._sql.extend, key=key, token=token, lease=_us(lease_s))

    def keep(self, key: str, token: int, outcome: bytes, *, ttl_s: float) -> bool:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        return self._changed(self._sql.keep, key=key, token=token, outcome=outcome, ttl=_us(ttl_s))

    def abandon(self, key: str, token: int) -> bool:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        return self._changed(self._sql.abandon, key=key, token=token)

    def ping(self) -> None:
        """See :class:`~safecelery.stores.interface.Store`."""
        with self._transaction() as connection:
            connection.execute(text("SELECT 1"))

    def sweep(self) -> int:
        """See :class:`~safecelery.stores.interface.Store`."""
        swept = 0
        for statement in self._sql.sweeps:
            with self._transaction() as connection:
                swept += connection.execute(text(statement), {"most": _SWEPT}).rowcount
        return swept

    def close(self) -> None:
        """See :class:`~safecelery.stores.interface.Store`."""
        self._engine.dispose()


def _shared_file(connection: Any, record: object) -> None:
    """Readers do not wait for writers (https://www.sqlite.org/wal.html); an entry must survive a crash of the host."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _us(seconds: float) -> int:
    return max(1, int(seconds * 1e6))
