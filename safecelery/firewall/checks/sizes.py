"""Headers are few and short. How large the envelope is as a whole, and how deep, was checked before it was parsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safecelery.errors import Reason, Rejected
from safecelery.firewall.interface import Body, Context, Received

__all__ = ["MAX_HEADERS", "MAX_NAME", "MAX_TEXT", "amiss", "sizes"]

#: Celery writes twenty, tracing a handful.
MAX_HEADERS = 100
#: Characters of a header's name.
MAX_NAME = 200
#: Characters of a header that is text. Representations of arguments have 1,024 each (``argsrepr_maxsize``), W3C baggage
#: may have 8,192 bytes.
MAX_TEXT = 16_384


def sizes(message: Received, body: Body, context: Context) -> None:
    """Refuse headers that are too many or too long: each is copied into the task's request, its retries, its events."""
    if (what := amiss(message.claims.hdr)) is not None:
        raise Rejected(Reason.TOO_LARGE, what)


def amiss(headers: Mapping[Any, Any]) -> str | None:
    """What is too many or too long about the headers, or ``None``. The sender asks the same before it sends."""
    if len(headers) > MAX_HEADERS:
        return f"there are {len(headers)} headers, allowed are {MAX_HEADERS}"
    for name, value in headers.items():
        if isinstance(name, str) and len(name) > MAX_NAME:
            return f"a header's name has {len(name)} characters, allowed are {MAX_NAME}"
        if isinstance(value, str) and len(value) > MAX_TEXT:
            return f"header {str(name)[:40]!r} has {len(value)} characters, allowed are {MAX_TEXT}"
    return None
