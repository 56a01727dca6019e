"""A private key that signs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from safecelery.errors import KeyringError
from safecelery.keys.document import OwnedSecret, check_owner, key_id, parse_document, render_document
from safecelery.keys.interface import SecretMaterial, Signer
from safecelery.keys.schemes import scheme_named

__all__ = ["PrivateKey", "key_in_use", "make_private", "parse_private", "render_private"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey(OwnedSecret):
    """A key that signs, with whose it is and until when."""

    signer: Signer = field(repr=False, compare=False)

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``."""
        return self.signer.sign(data)


def make_private(
    *, scheme: str, owner: str, created: datetime, expires: datetime, secret: bytes, where: str
) -> PrivateKey:
    """A key from its parts.

    Raises:
        KeyringError: an owner's name that is none, an unknown scheme, a secret that is not the scheme's.
    """
    check_owner(owner, where)
    kind = scheme_named(scheme, where)
    try:
        signer, public = kind.signer(secret), kind.public(secret)
    except ValueError:
        raise KeyringError(f"{where}: the secret is none of scheme {scheme!r}") from None
    return PrivateKey(
        kid=key_id(owner, public), scheme=scheme, owner=owner, created=created, expires=expires,
        secret=SecretMaterial(secret), signer=signer,
    )  # fmt: skip


def key_in_use(keys: Sequence[PrivateKey], now: float | None = None) -> PrivateKey:
    """Of several keys of one owner, the one to sign with: the newest whose time has begun and not ended (E6.8).

    Where there is none, the next one, and else the last one: whoever signs with it is told why it cannot.

    Args:
        keys: at least one.
        now: seconds since the epoch; ``None`` is the clock.
    """
    moment = time.time() if now is None else now
    begun = [key for key in keys if key.created.timestamp() <= moment]
    valid = [key for key in begun if moment < key.expires.timestamp()]
    if valid:
        return max(valid, key=lambda key: (key.created, key.kid))
    if len(begun) < len(keys):
        return min((key for key in keys if key not in begun), key=lambda key: (key.created, key.kid))
    return max(keys, key=lambda key: (key.expires, key.kid))


def render_private(key: PrivateKey) -> str:
    """The document that keeps the key: TOML."""
    return render_document(key, "Whoever reads this file can sign as its owner")


def parse_private(text: str, where: str) -> PrivateKey:
    """Read the document.

    Raises:
        KeyringError: as :func:`~safecelery.keys.document.parse_document`, or its secret is none of its scheme's.
    """
    return parse_document(text, where, make_private)
