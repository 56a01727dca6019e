"""The statements of the SQL store. What SQLite and PostgreSQL spell differently is the clock and the types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["POSTGRESQL", "SQLITE", "Statements"]

LEDGER, OUTCOMES = "safecelery_ledger", "safecelery_outcomes"

_CREATE_LEDGER = """
CREATE TABLE safecelery_ledger (
  jti VARCHAR(64) PRIMARY KEY, state VARCHAR(4) NOT NULL, token BIGINT NOT NULL, deliveries INTEGER NOT NULL,
  holder VARCHAR(255) NOT NULL, lease_until BIGINT NOT NULL, expires_at BIGINT NOT NULL)
"""
_CREATE_OUTCOMES = """
CREATE TABLE safecelery_outcomes (
  name VARCHAR(512) PRIMARY KEY, token BIGINT NOT NULL, holder VARCHAR(255) NOT NULL, outcome {BYTES},
  until BIGINT NOT NULL)
"""

# A row that has expired is as good as none, but its token goes on.
_CLAIM = """
INSERT INTO safecelery_ledger AS l (jti, state, token, deliveries, holder, lease_until, expires_at)
VALUES (:jti, 'held', {NOW}, 1, :holder, {NOW} + :lease, {NOW} + :ttl)
ON CONFLICT (jti) DO UPDATE SET
  state = 'held', holder = excluded.holder, lease_until = excluded.lease_until,
  token = CASE WHEN excluded.token > l.token THEN excluded.token ELSE l.token + 1 END,
  deliveries = CASE WHEN l.expires_at <= {NOW} THEN 1 ELSE l.deliveries + 1 END,
  expires_at = CASE WHEN excluded.expires_at > l.expires_at THEN excluded.expires_at ELSE l.expires_at END
WHERE l.expires_at <= {NOW}
   OR (l.state <> 'done' AND l.deliveries < :most AND (l.state = 'free' OR l.lease_until <= {NOW}))
RETURNING token, deliveries
"""
_LOOK = "SELECT state, deliveries, holder, lease_until - {NOW} AS remaining FROM safecelery_ledger WHERE jti = :jti"
_RENEW = """
UPDATE safecelery_ledger SET lease_until = {NOW} + :lease,
  expires_at = CASE WHEN expires_at < {NOW} + :ttl THEN {NOW} + :ttl ELSE expires_at END
WHERE state = 'held' AND jti = :jti AND token = :token AND expires_at > {NOW} RETURNING jti
"""
_COMPLETE = """
UPDATE safecelery_ledger SET state = 'done'
WHERE jti = :jti AND token = :token AND state <> 'free' AND expires_at > {NOW} RETURNING jti
"""
_RELEASE = """
UPDATE safecelery_ledger SET state = 'free', lease_until = 0, deliveries = deliveries - :unused
WHERE jti = :jti AND token = :token AND state = 'held' AND expires_at > {NOW} RETURNING jti
"""

# A row whose outcome is null is a lease.
_BEGIN = """
INSERT INTO safecelery_outcomes AS o (name, token, holder, outcome, until)
VALUES (:key, {NOW}, :holder, NULL, {NOW} + :lease)
ON CONFLICT (name) DO UPDATE SET
  holder = excluded.holder, outcome = NULL, until = excluded.until,
  token = CASE WHEN excluded.token > o.token THEN excluded.token ELSE o.token + 1 END
WHERE o.until <= {NOW}
RETURNING token
"""
_LOOK_OUTCOME = "SELECT holder, outcome, until - {NOW} AS remaining FROM safecelery_outcomes WHERE name = :key"
_MINE = "WHERE name = :key AND token = :token AND outcome IS NULL"


@dataclass(frozen=True, slots=True)
class Statements:
    """What one kind of database is told."""

    now: str
    """Microseconds since the epoch, by the database's clock."""
    bytes_type: str

    def _said(self, statement: str) -> str:
        return statement.replace("{NOW}", self.now).replace("{BYTES}", self.bytes_type)

    @property
    def tables(self) -> Mapping[str, str]:
        """Name of a table -> how to make it."""
        return {LEDGER: self._said(_CREATE_LEDGER), OUTCOMES: self._said(_CREATE_OUTCOMES)}

    @property
    def claim(self) -> str:
        """Gives a row if it is the caller's now."""
        return self._said(_CLAIM)

    @property
    def look(self) -> str:
        """Why a claim gave none."""
        return self._said(_LOOK)

    @property
    def renew(self) -> str:
        """Gives the row if it is still held under this token."""
        return self._said(_RENEW)

    @property
    def complete(self) -> str:
        """Gives a row if it was this token's."""
        return self._said(_COMPLETE)

    @property
    def release(self) -> str:
        """Gives a row if it was this token's."""
        return self._said(_RELEASE)

    @property
    def begin(self) -> str:
        """Gives a row if the operation is the caller's now."""
        return self._said(_BEGIN)

    @property
    def look_outcome(self) -> str:
        """Why it gave none."""
        return self._said(_LOOK_OUTCOME)

    @property
    def extend(self) -> str:
        """Gives a row if it was this token's."""
        return self._said(f"UPDATE safecelery_outcomes SET until = {{NOW}} + :lease {_MINE} RETURNING name")  # noqa: S608

    @property
    def keep(self) -> str:
        """Gives a row if it was this token's."""
        return self._said(
            f"UPDATE safecelery_outcomes SET outcome = :outcome, until = {{NOW}} + :ttl {_MINE} RETURNING name"  # noqa: S608
        )

    @property
    def abandon(self) -> str:
        """Gives a row if it was this token's."""
        return f"DELETE FROM safecelery_outcomes {_MINE} RETURNING name"  # noqa: S608

    @property
    def sweeps(self) -> tuple[str, str]:
        """Delete what has expired, at most ``:most`` rows of each table."""
        return (
            self._said(_SWEEP.format(table=LEDGER, key="jti", until="expires_at", NOW="{NOW}")),
            self._said(_SWEEP.format(table=OUTCOMES, key="name", until="until", NOW="{NOW}")),
        )


_SWEEP = "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {until} <= {NOW} LIMIT :most)"

#: https://www.sqlite.org/lang_datefunc.html: ``now`` is the same throughout a statement.
SQLITE = Statements("CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)", "BLOB")
#: ``now()`` would be the time at which the transaction began, before it waited for anybody.
POSTGRESQL = Statements("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", "BYTEA")
