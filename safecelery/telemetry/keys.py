"""What is said and counted about keys: files that changed or cannot be used, and keys that expire."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from safecelery.keys.expiry import DAY_S, Dated, dated, stage, succeeded
from safecelery.keys.live import LiveKeyring
from safecelery.keys.private import PrivateKey, key_in_use
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustedKey, TrustStore
from safecelery.keys.watched import Failed, Loaded
from safecelery.telemetry.metrics import KEY_FAILURES, Gauge

__all__ = ["ExpiryWatch", "KeyLog", "key_gauges"]

logger = logging.getLogger("safecelery")

_WHAT = {"trust": "trust file", "key": "private key"}


class KeyLog:
    """Hears what comes of watched files (``keys.watched.Told``)."""

    def loaded(self, event: Loaded[Any]) -> None:
        """One line: what is different now. A revocation that took effect can be read here."""
        logger.warning(
            "%s %s %s: %s",
            _WHAT[event.what],
            event.place,
            "can be used again" if event.mended else "changed and was read again",
            _trust_changes(event.before, event.after) if event.what == "trust" else _key_changes(event.after),
            extra={"safecelery_event": "keys-reloaded", "safecelery_file": event.what},
        )

    def failed(self, event: Failed) -> None:
        """Count the attempt; one line for each fault, and for each hour that it lasts."""
        KEY_FAILURES.add(event.what)
        if event.news:
            logger.error(
                "%s cannot be used as it is now: %s; the one of %s stays in use, and the file is looked at again "
                "until it is good. Nothing that was changed in it holds yet: no new key, no revocation",
                _WHAT[event.what],
                event.error,
                _moment(event.good_since),
                extra={"safecelery_event": "keys-broken", "safecelery_file": event.what},
            )


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _trust_changes(before: TrustStore, after: TrustStore) -> str:
    """``12 keys; added: a; removed: b; revoked: c; changed: d``."""
    old, new = before.keys, after.keys
    both = [(old[kid], new[kid]) for kid in new if kid in old]
    parts: list[tuple[str, list[str]]] = [
        ("added", [kid for kid in new if kid not in old]),
        ("removed", [kid for kid in old if kid not in new]),
        ("revoked", [now.kid for was, now in both if now.revoked and not was.revoked]),
        ("changed", [now.kid for was, now in both if was != now and not _only_revoked(was, now)]),
    ]
    named = "; ".join(f"{word}: {_few(kids)}" for word, kids in parts if kids)
    return f"{len(new)} keys" + (f"; {named}" if named else "")


def _only_revoked(was: TrustedKey, now: TrustedKey) -> bool:
    return now.revoked and not was.revoked


def _few(kids: list[str], most: int = 20) -> str:
    return ", ".join(kids[:most]) + (f" and {len(kids) - most} more" if len(kids) > most else "")


def _key_changes(keys: tuple[PrivateKey, ...]) -> str:
    active = key_in_use(keys)
    later = [f"{key.kid} from {_moment(key.created.timestamp())}" for key in keys if key.created > active.created]
    return f"signing with {active.kid}" + (f"; then {', '.join(later)}" if later else "")


_ROTATE = "safecelery keys rotate {key.kid} --trust FILE"
#: What to do about a key that ends, by its use.
_REPLACE = {
    "own": _ROTATE,
    "trusted": _ROTATE,
    "encryption": "safecelery keys generate {key.owner} --scheme SCHEME --trust FILE (docs/guides/encryption.md)",
}


class ExpiryWatch:
    """Warns of each key once at each stage: 30 days, 7 days, expired.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._told: dict[Dated, int] = {}
        self._next = 0.0

    def look(self, ring: Keyring, *, again: bool = False) -> None:
        """Warn of what is new, once a day.

        Args:
            again: warn now, and also of what was warned of already: the log may be another one since.
        """
        now = self._clock()
        if now < self._next and not again:
            return
        self._next = now + DAY_S
        if again:
            self._told.clear()
        for key in dated(ring):
            reached = stage(key.days_left(now))
            if reached is None or self._told.get(key) == reached:
                continue
            self._told[key] = reached
            trust = ring.trust
            if not succeeded(key, (trust.encryption if key.use == "encryption" else trust.keys).values(), now):
                self._warn(key, now)

    def _warn(self, key: Dated, now: float) -> None:
        logger.warning(
            "%s key %s of %s %s (%s); fix: %s",
            key.use,
            key.kid,
            key.owner,
            _in_words(key.days_left(now)),
            _moment(key.expires),
            f"{_REPLACE[key.use].format(key=key)}, or remove its entry if nobody needs it any more",
            extra={"safecelery_event": "key-expiring", "safecelery_key": key.kid, "safecelery_owner": key.owner},
        )


def _in_words(days: float) -> str:
    if days <= 0:
        return "has expired"
    return f"expires in {days:.0f} days" if days >= 2 else f"expires in {days * 24:.0f} h"


def key_gauges(ring: Keyring) -> tuple[Gauge, ...]:
    """What a worker shows of its keys."""

    def days() -> dict[tuple[str, ...], float]:
        now = time.time()
        return {(key.kid, key.owner, key.use): round(key.days_left(now), 4) for key in dated(ring)}

    def good_since() -> dict[tuple[str, ...], float]:
        return {(what,): at for what, at in ring.good_since.items()} if isinstance(ring, LiveKeyring) else {}

    return (
        Gauge(
            "safecelery_key_expires_days",
            "Days until a key expires, negative afterwards: the own one that will sign last (use own), and every "
            "trusted one that is not revoked (use trusted).",
            ("key", "owner", "use"),
            days,
        ),
        Gauge(
            "safecelery_trust_loaded_timestamp_seconds",
            "When the trust file (file trust) and the private key (file key) were last read and found good.",
            ("file",),
            good_since,
        ),
    )
