"""Unsealing: a raw message becomes a verified one, or a refusal. The one place where signatures are checked."""

from __future__ import annotations

from typing import NoReturn

from safecelery.errors import Reason, Rejected
from safecelery.keys.interface import SignatureMismatch
from safecelery.keys.ring import Keyring
from safecelery.message.claims import VERSION, Claims, Typ
from safecelery.message.codec import Malformed, decode_json, split
from safecelery.message.encrypted import is_encrypted
from safecelery.message.pae import pae
from safecelery.message.seal import HEADER
from safecelery.message.stages import RawMessage, VerifiedMessage, verified

__all__ = ["unseal"]

#: The body format of every domain (E2.6).
CONTENT = ("application/json", "utf-8")
#: Domains whose body may be encrypted instead (N1.1).
_ENCRYPTABLE = frozenset({"task", "result"})


def unseal(
    raw: RawMessage, ring: Keyring, *, now: float, max_bytes: int, max_skew_s: float = 60, expect: Typ = "task"
) -> VerifiedMessage:
    """Verify a message, in this order; the first thing amiss refuses it (docs/spec/envelope-v1.md, section 4).

    1. Body and header are no larger than allowed: nothing is parsed before (E4.1).
    2. There is an envelope, and it is text (E4.2).
    3. It is two parts of canonical base64url (E4.3).
    4. The claims name a version that is known (E4.4) and a key; nothing else of them is looked at yet.
    5. The key is trusted, valid now, and not revoked (E4.5).
    6. The signature of that key, by that key's algorithm, holds over claims and body (E4.6).
    7. The claims are well-formed (E4.7).
    8. They are of the expected type (E4.8).
    9. The body is JSON in UTF-8, or encrypted (E4.9).
    10. The message is neither from the future nor expired (E4.10).

    Args:
        now: seconds since the epoch.
        max_bytes: of the body; the header may be as large.
        max_skew_s: seconds by which the sender's clock may be ahead.
        expect: the type that this place handles.

    Raises:
        Rejected: and nothing else; an unexpected exception is ``Reason.INTERNAL``. Its text carries nothing of the
            message but a key id.
    """
    try:
        return _unseal(raw, ring, now, max_bytes, max_skew_s, expect)
    except Rejected:
        raise
    except Malformed as error:
        raise Rejected(Reason.ENVELOPE_MALFORMED, str(error)) from None
    except Exception as error:  # noqa: BLE001  # fail closed
        raise Rejected(Reason.INTERNAL, f"unsealing failed with {type(error).__name__}") from None


def _unseal(
    raw: RawMessage, ring: Keyring, now: float, max_bytes: int, max_skew_s: float, expect: Typ
) -> VerifiedMessage:
    envelope = raw.headers.get(HEADER)
    # 1. size
    if len(raw.body) > max_bytes:
        _refuse(Reason.TOO_LARGE, f"the body has {len(raw.body)} bytes, allowed are {max_bytes}")
    if isinstance(envelope, str) and len(envelope) > max_bytes:
        _refuse(Reason.TOO_LARGE, f"the envelope has {len(envelope)} characters, allowed are {max_bytes}")
    # 2. presence
    if envelope is None:
        _refuse(Reason.ENVELOPE_MISSING, "the message is not signed")
    if not isinstance(envelope, str):
        _refuse(Reason.ENVELOPE_MALFORMED, "the envelope is not text")
    # 3. encoding
    signed, signature = split(envelope)
    # 4. version and key id, of claims that nobody vouches for yet
    unverified = decode_json(signed)
    if not isinstance(unverified, dict):
        _refuse(Reason.CLAIMS_MALFORMED, "the claims are not an object")
    version, kid, typ = unverified.get("v"), unverified.get("kid"), unverified.get("typ")
    if type(version) is not int or version != VERSION:
        _refuse(Reason.VERSION_UNSUPPORTED, f"the envelope's version is not {VERSION}")
    if not isinstance(kid, str) or not isinstance(typ, str) or not typ.isascii():
        _refuse(Reason.CLAIMS_MALFORMED, "the claims name no key or no type")
    # 5. key
    key = ring.trust.lookup(kid)
    if key is None:
        _refuse(Reason.KEY_UNKNOWN, f"no trusted key {_printable(kid)}")
    if (amiss := key.check_validity(now, max_skew_s=max_skew_s)) is not None:
        _refuse(amiss, f"key {key.kid!r} is not valid now")
    # 6. signature
    try:
        key.verifier.verify(signature, pae(typ, signed, raw.body))
    except SignatureMismatch:
        _refuse(Reason.SIGNATURE_INVALID, f"not signed by key {key.kid!r}, or changed since")
    # 7. claims: from here on they are the signer's words
    try:
        claims = Claims.from_json(unverified)
    except Malformed as error:
        _refuse(Reason.CLAIMS_MALFORMED, str(error))
    # 8. type
    if claims.typ != expect:
        _refuse(Reason.TYPE_MISMATCH, f"signed as {claims.typ}, used as {expect}")
    # 9. content
    if (claims.ct, claims.ce) != CONTENT and not (is_encrypted(claims) and expect in _ENCRYPTABLE):
        _refuse(Reason.CONTENT_DISALLOWED, "the body is not signed as application/json in utf-8, or as encrypted")
    # 10. freshness
    if claims.iat > now + max_skew_s:
        _refuse(Reason.NOT_YET_VALID, "signed in the future, further than clocks may differ")
    if now >= claims.exp:
        _refuse(Reason.STALE, "expired")
    return verified(claims, raw.body, key, raw.queue)


def _refuse(reason: Reason, detail: str) -> NoReturn:
    raise Rejected(reason, detail) from None


def _printable(text: str) -> str:
    """An id that nobody vouches for, fit for a log: at most 64 characters, printable ASCII."""
    return repr("".join(c if c.isascii() and c.isprintable() else "?" for c in text[:64]))
