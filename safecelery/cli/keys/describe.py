"""A trusted key as rows for people and tools."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from safecelery.errors import Reason
from safecelery.keys.trust import TrustedKey

__all__ = ["EXPIRING", "describe", "state_of"]

#: A key with less time than this left is reported as expiring: a month to roll out the next one.
EXPIRING = timedelta(days=30)


def state_of(key: TrustedKey, now: datetime) -> str:
    """``valid``, ``expiring``, ``expired``, ``not yet valid`` or ``revoked``."""
    reason = key.check_validity(now.timestamp())
    if reason is Reason.KEY_REVOKED:
        return "revoked"
    if reason is not None:
        return "expired" if now.timestamp() >= key.expires else "not yet valid"
    return "expiring" if key.expires - now.timestamp() < EXPIRING.total_seconds() else "valid"


def describe(key: TrustedKey, now: datetime) -> dict[str, Any]:
    """Everything about the key that is no secret."""
    return {
        "kid": key.kid,
        "owner": key.owner,
        "scheme": key.scheme,
        "state": state_of(key, now),
        "expires": datetime.fromtimestamp(key.expires, UTC).isoformat(),
        "send": list(key.send),
        "queues": list(key.queues),
        "control": list(key.control),
        "results": list(key.results),
        "mode": key.mode,
    }
