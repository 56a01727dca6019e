"""Whether something was validly signed when it was signed: for what is kept longer than it may be acted upon.

An expired message is refused, and so is one of a key that has expired since. Who looks at it later still wants to know
whether it was genuine. What is found here is deliberately no ``VerifiedMessage``: nothing may be executed on its word.
"""

from __future__ import annotations

from dataclasses import dataclass

from safecelery.errors import Reason, Rejected
from safecelery.keys.ring import Keyring
from safecelery.message.claims import Claims, Typ
from safecelery.message.codec import Malformed, decode_json, split
from safecelery.message.seal import HEADER
from safecelery.message.stages import RawMessage
from safecelery.message.unseal import unseal

__all__ = ["SignedOnce", "signed_once"]


@dataclass(frozen=True, slots=True)
class SignedOnce:
    """These claims were signed by that key, at a time when it was valid."""

    claims: Claims
    kid: str


def signed_once(raw: RawMessage, ring: Keyring, *, expect: Typ = "task") -> SignedOnce:
    """Verify as ``unseal`` does, with the clock at the moment that the signature itself names.

    A revoked key vouches for nothing, whenever it signed. Sizes are not bounded: the message is here already.

    Raises:
        Rejected: it was not validly signed then.
    """
    envelope = raw.headers.get(HEADER)
    try:
        unverified = decode_json(split(envelope)[0]) if isinstance(envelope, str) else None
    except Malformed as error:
        raise Rejected(Reason.ENVELOPE_MALFORMED, str(error)) from None
    issued = unverified.get("iat") if isinstance(unverified, dict) else None
    # Where the time is none, the numbered list says what is amiss; a wrong time breaks the signature over it.
    now = float(issued) if type(issued) is int and 0 <= issued < 2**53 else 0.0
    largest = max(len(raw.body), len(envelope) if isinstance(envelope, str) else 0)
    message = unseal(raw, ring, now=now, max_bytes=largest, expect=expect)
    return SignedOnce(message.claims, message.key.kid)
