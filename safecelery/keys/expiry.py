"""Which keys end when, and how near that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from safecelery.keys.encryption.trusted import EncryptionKey
from safecelery.keys.live import LiveKeyring
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustedKey

__all__ = ["DAY_S", "STAGES_D", "Dated", "dated", "stage", "succeeded"]

DAY_S = 86_400
#: Days left at which somebody should hear of it: a month to roll out the next key, a week, none.
STAGES_D = (30, 7, 0)


@dataclass(frozen=True, slots=True)
class Dated:
    """A key that ends."""

    kid: str
    owner: str
    use: Literal["own", "trusted", "encryption"]
    expires: float
    """Seconds since the epoch."""

    def days_left(self, now: float) -> float:
        """Days until it expires; negative afterwards."""
        return (self.expires - now) / DAY_S


def dated(ring: Keyring) -> Iterator[Dated]:
    """The own key that will sign last, every trusted key, and every key that is encrypted to; not those revoked.

    A kind of key that is not here is not warned of, and not in the metrics.
    """
    privates = ring.privates if isinstance(ring, LiveKeyring) else (ring.active,) if ring.active else ()
    if privates:
        last = max(privates, key=lambda key: (key.expires, key.kid))
        yield Dated(last.kid, last.owner, "own", last.expires.timestamp())
    trust = ring.trust
    yield from (Dated(key.kid, key.owner, "trusted", key.expires) for key in trust.keys.values() if not key.revoked)
    for each in trust.encryption.values():
        if not each.revoked:
            yield Dated(each.kid, each.owner, "encryption", each.expires)


def succeeded(key: Dated | TrustedKey | EncryptionKey, keys: Iterable[TrustedKey | EncryptionKey], now: float) -> bool:
    """The key has expired, and its owner has another one that is valid: it was replaced, and its entry is history.

    Args:
        keys: all of its kind: a key that signs is not replaced by one that is encrypted to.
    """
    return now >= key.expires and any(
        other.owner == key.owner and other.kid != key.kid and other.is_valid(now) for other in keys
    )


def stage(days_left: float) -> int | None:
    """The last of ``STAGES_D`` that is reached; ``None``: there is time."""
    return next((days for days in reversed(STAGES_D) if days_left <= days), None)
