"""The table of sealed results, beside Celery's own: that one is for people and their tools, this one is believed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from celery.backends.database.session import ResultModelBase

__all__ = ["SealedDocument"]


def _now() -> datetime:
    return datetime.now(UTC)


class SealedDocument(ResultModelBase):
    """One sealed result or group. Made with Celery's own tables (celery/backends/database/session.py)."""

    __tablename__ = "safecelery_results"
    __table_args__ = (sa.UniqueConstraint("kind", "key"), {"sqlite_autoincrement": True})

    id = sa.Column(
        sa.Integer().with_variant(sa.BigInteger, "mssql"),
        sa.Sequence("safecelery_results_id_sequence"),
        primary_key=True,
        autoincrement=True,
    )
    kind = sa.Column(sa.String(16), nullable=False)
    key = sa.Column(sa.String(255), nullable=False)
    """Id of the task or the group."""
    document = sa.Column(sa.LargeBinary(2**31 - 1), nullable=False)
    date_done = sa.Column(sa.DateTime, default=_now, onupdate=_now, nullable=False, index=True)

    @classmethod
    def configure(cls, schema: str | None) -> None:
        """Keep it in the schema of Celery's table of tasks."""
        table: Any = cls.__table__
        table.schema = schema
        table.c.id.default.schema = schema
