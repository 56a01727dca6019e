"""What a connection to a PostgreSQL really is, by its URL: for results and for the ledger."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from safecelery.brokers import mask
from safecelery.policy.facts import Place, TransportFacts
from safecelery.policy.stock_tls import SSLMODE

__all__ = ["is_postgresql", "postgresql_facts"]

#: SQLAlchemy's names of the drivers that are libpq; others read no ``sslmode``. The first is its default.
_LIBPQ = ("postgresql", "postgresql+psycopg2", "postgresql+psycopg")


def is_postgresql(url: str) -> bool:
    """SQLAlchemy connects to this URL by libpq."""
    return _scheme(url) in _LIBPQ


def _scheme(url: str) -> str:
    """Without what Celery puts before it, where results go there."""
    return urlsplit(url).scheme.removeprefix("db+").removeprefix("sqla+")


def postgresql_facts(
    role: Literal["ledger", "results"],
    url: str,
    where: Place,
    *,
    production: bool,
    arguments: Mapping[str, Any] | None = None,
) -> TransportFacts:
    """As libpq reads them: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION.

    Args:
        url: as SQLAlchemy spells it, or Celery for results.
        arguments: SQLAlchemy's ``connect_args``, which win over the URL's query.
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()} | dict(arguments or {})
    mode = query.get("sslmode", os.environ.get("PGSSLMODE", "prefer"))
    tls, verified, host_checked = SSLMODE.get(mode, (False, False, False))
    host = str(query.get("host") or parts.hostname or "")
    password = query.get("password") or parts.password or os.environ.get("PGPASSWORD")
    return TransportFacts(
        role=role, where=where, production=production, url=mask(url), scheme=_scheme(url),
        tls=tls, verified=verified, host_checked=host_checked,
        tls_floor=query.get("ssl_min_protocol_version", "TLSv1.2"),  # libpq's own default
        local=not host or host.startswith("/"),
        password="set" if password or query.get("sslcert") or _passfile(query) else "none",
    )  # fmt: skip


def _passfile(query: Mapping[str, Any]) -> bool:
    named = query.get("passfile") or os.environ.get("PGPASSFILE")
    return (Path(named) if named else Path.home() / ".pgpass").is_file()
