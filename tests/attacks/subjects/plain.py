"""Plain Celery: JSON, no signatures; TLS and a password on the broker like the others."""

from __future__ import annotations

from contextlib import AbstractContextManager

from tests.attacks.subjects.interface import Lines, Ready, Subject
from tests.attacks.subjects.stock import StockSealer, open_stock

__all__ = ["PLAIN"]


def _open(lines: Lines) -> AbstractContextManager[Ready]:
    return open_stock(lines, "plain", StockSealer(), {})


PLAIN = Subject("plain", "plain Celery: JSON, late acknowledgement, its own defaults otherwise", False, _open)
