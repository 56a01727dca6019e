"""Sealing: claims and body become one header value."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safecelery.errors import SealError
from safecelery.keys.ring import Keyring
from safecelery.message.claims import TYPES, Audience, Claims, Typ
from safecelery.message.codec import Malformed, encode_json, join
from safecelery.message.pae import pae

__all__ = ["HEADER", "Draft", "seal"]

#: Name of the one header that carries the envelope (E1.1).
HEADER = "safecelery"


#: Seconds: a thousand years. Longer is a mistake, and times must stay exact in JSON (E2.2).
_FOR_EVER = 1000 * 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message about to be sent. ``body`` is what goes over the wire."""

    typ: Typ
    aud: Audience
    ct: str
    ce: str
    cmp: str | None
    hdr: Mapping[str, Any]
    props: Mapping[str, Any]
    body: bytes
    lifetime_s: float
    """Seconds from now on for which the message may be accepted. Rounded up."""
    jti: str | None = None
    """The message's id; ``None`` makes a random one. To be given only by who must send the same message twice."""


def seal(draft: Draft, ring: Keyring, *, now: float) -> str:
    """The value of the ``safecelery`` header for this message.

    Args:
        now: seconds since the epoch.

    Raises:
        SealError: no active key, an expired one, a lifetime that is none, or a header that JSON cannot represent
            (named, without its value).
    """
    if not 0 < draft.lifetime_s < _FOR_EVER:
        raise SealError("a message's lifetime must be positive and finite; nothing was sent")
    if draft.typ not in TYPES or not all(isinstance(text, str) for text in (draft.ct, draft.ce, draft.cmp or "")):
        raise SealError("the message's type, content type, encoding or compression is not text; nothing was sent")
    signer = ring.signer(now)
    issued = int(now)
    claims = Claims(
        typ=draft.typ,
        kid=signer.kid,
        iat=issued,
        exp=issued + math.ceil(draft.lifetime_s),
        jti=draft.jti or secrets.token_hex(16),
        aud=draft.aud,
        ct=draft.ct,
        ce=draft.ce,
        cmp=draft.cmp,
        hdr=draft.hdr,
        props=draft.props,
    )
    try:
        signed = claims.to_bytes()
    except (TypeError, ValueError, RecursionError):
        raise SealError(
            f"{_culprit(draft)} cannot be signed: it is not plain JSON, or nested too deeply; nothing was sent"
        ) from None
    return join(signed, signer.sign(pae(draft.typ, signed, draft.body)))


def _culprit(draft: Draft) -> str:
    for kind, values in (("header", draft.hdr), ("property", draft.props)):
        for name, value in values.items():
            try:
                encode_json({name: value})
            except (TypeError, ValueError, RecursionError, Malformed):
                return f"{kind} {name!r}"
    return "the message"
