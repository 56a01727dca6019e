"""The keys of a trust store of safecelery, by what its text says (safecelery/keys/trust.py reads the same file).

The running application refuses a store it does not understand; here what cannot be read is UNKNOWN, and the rules look
at the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from safecelery.policy.facts import ABSENT, UNKNOWN, Place, Stated, TrustFacts, Unknown

__all__ = ["trusted_keys"]


def trusted_keys(relative: str, text: str, now: datetime | None = None) -> Iterator[TrustFacts]:
    """One for each table ``[keys."ID"]``; none for a text that is no TOML. ``now``: what expiry is counted from."""
    import tomllib  # only where there is such a file

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    keys = document.get("keys")
    now = now or datetime.now(UTC)
    for kid, entry in keys.items() if isinstance(keys, dict) else ():
        if isinstance(entry, dict):
            yield TrustFacts(
                kid=kid,
                where=Place(relative, _line(text, kid)),
                expires_s=_seconds_until(entry.get("expires", ABSENT), now),
                send=_patterns(entry, "send"),
                queues=_patterns(entry, "queues"),
                control=_patterns(entry, "control"),
                revoked=entry["revoked"] if isinstance(entry.get("revoked"), bool) else "revoked" in entry and UNKNOWN,
            )


def _seconds_until(moment: object, now: datetime) -> Stated:
    if moment is ABSENT:
        return ABSENT
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return UNKNOWN  # a date without time and zone, which the application refuses
    return (moment - now).total_seconds()


def _patterns(entry: Mapping[str, object], grant: str) -> tuple[str, ...] | Unknown:
    value = entry.get(grant, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return UNKNOWN
    return tuple(value)


def _line(text: str, kid: str) -> int:
    """The line of the table's header; 0 where it is written in another way."""
    match = re.search(rf"^\s*\[\s*keys\s*\.\s*[\"']?{re.escape(kid)}[\"']?\s*\]", text, re.MULTILINE)
    return text.count("\n", 0, match.end()) + 1 if match else 0
