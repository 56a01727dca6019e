"""A trusted key as rows for people and tools."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from safecelery.keys.encryption.trusted import EncryptionKey
from safecelery.keys.trust import TrustedKey

__all__ = ["EXPIRING", "describe", "describe_encryption", "state_of"]

#: A key with less time than this left is reported as expiring: a month to roll out the next one.
EXPIRING = timedelta(days=30)


def state_of(key: TrustedKey | EncryptionKey, now: datetime) -> str:
    """``valid``, ``expiring``, ``expired``, ``not yet valid`` or ``revoked``."""
    if key.revoked:
        return "revoked"
    valid = key.is_valid(now.timestamp()) if isinstance(key, EncryptionKey) else not key.check_validity(now.timestamp())
    if not valid:
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


def describe_encryption(key: EncryptionKey, now: datetime) -> dict[str, Any]:
    """The same of a key that is encrypted to. ``use`` tells it from the others."""
    return {
        "kid": key.kid,
        "use": "encryption",
        "owner": key.owner,
        "scheme": key.scheme,
        "state": state_of(key, now),
        "expires": datetime.fromtimestamp(key.expires, UTC).isoformat(),
        "queues": list(key.queues),
        "read_results": list(key.results),
    }
