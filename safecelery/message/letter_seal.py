"""The worker's signature on its dead letters: a letter that somebody else planted is recognised (L4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safecelery.errors import Rejected, SealError
from safecelery.keys.ring import Keyring
from safecelery.message.claims import Audience
from safecelery.message.seal import HEADER, Draft, seal
from safecelery.message.signed_once import signed_once
from safecelery.message.stages import RawMessage

__all__ = ["LetterSeal", "check_letter", "seal_letter"]

#: Seconds for which the seal claims to hold (L4.2): ten years. Readers look at the time of signing instead.
LIFETIME_S = 10 * 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class LetterSeal:
    """Who vouches for a record."""

    key: str | None
    """Id of the trusted key that sealed exactly this record for exactly this queue; ``None``: nobody does."""
    why_not: str = ""
    """Where nobody does: why."""


def seal_letter(data: bytes, queue: str, ring: Keyring, *, now: float) -> str | None:
    """The ``safecelery`` header of a dead letter, or ``None`` where this process has no key that it may sign with.

    A letter is kept in any case: without a seal it is worth less, and losing it would be worse.
    """
    draft = Draft(
        typ="dead-letter", aud=Audience(queue=queue), ct="application/json", ce="utf-8", cmp=None, hdr={}, props={},
        body=data, lifetime_s=LIFETIME_S,
    )  # fmt: skip
    try:
        return seal(draft, ring, now=now)
    except SealError:
        return None


def check_letter(data: bytes, headers: Mapping[str, Any], queue: str, ring: Keyring) -> LetterSeal:
    """Who sealed the record, by this process' trust store (L4.3). Any trusted key may seal dead letters."""
    if HEADER not in headers:
        return LetterSeal(None, "not sealed")
    raw = RawMessage(data, headers, {}, None, None, queue)
    try:
        found = signed_once(raw, ring, expect="dead-letter")
    except Rejected as refusal:
        return LetterSeal(None, refusal.reason.value)
    if found.claims.aud != Audience(queue=queue):
        return LetterSeal(None, "sealed for another queue")
    return LetterSeal(found.kid)
