"""A private decryption key: the same document as a signing key's, of another scheme."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from safecelery.errors import KeyringError
from safecelery.keys.document import OwnedSecret, check_owner, key_id, parse_document, render_document
from safecelery.keys.encryption.interface import Unwrapper
from safecelery.keys.encryption.schemes import encryption_scheme_named
from safecelery.keys.interface import SecretMaterial

__all__ = ["DecryptionKey", "make_decryption_key", "parse_decryption_key", "render_decryption_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecryptionKey(OwnedSecret):
    """A key that reads, with whose it is. ``expires`` says when senders stop encrypting to it, not when it stops
    reading: what was sent the second before is read later (N6.3)."""

    unwrapper: Unwrapper = field(repr=False, compare=False)


def make_decryption_key(
    *, scheme: str, owner: str, created: datetime, expires: datetime, secret: bytes, where: str
) -> DecryptionKey:
    """A key from its parts.

    Raises:
        KeyringError: an owner's name that is none, an unknown scheme, a secret that is not the scheme's.
    """
    check_owner(owner, where)
    kind = encryption_scheme_named(scheme, where)
    try:
        unwrapper, public = kind.unwrapper(secret), kind.public(secret)
    except ValueError:
        raise KeyringError(f"{where}: the secret is none of scheme {scheme!r}") from None
    return DecryptionKey(
        kid=key_id(owner, public), scheme=scheme, owner=owner, created=created, expires=expires,
        secret=SecretMaterial(secret), unwrapper=unwrapper,
    )  # fmt: skip


def render_decryption_key(key: DecryptionKey) -> str:
    """The document that keeps the key: TOML."""
    return render_document(key, "Whoever reads this file can read what is encrypted to its owner")


def parse_decryption_key(text: str, where: str) -> DecryptionKey:
    """Read the document.

    Raises:
        KeyringError: not such a document, with the place and what is amiss; never with what it contains.
    """
    return parse_document(text, where, make_decryption_key)
