"""Making encryption keys: the private document, and the entry for everybody's trust store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from safecelery.keys.encryption.private import DecryptionKey, make_decryption_key
from safecelery.keys.encryption.schemes import encryption_scheme_named
from safecelery.keys.generate import lifetime_of, trust_table

__all__ = ["encryption_trust_entry", "generate_encryption_key"]


def generate_encryption_key(
    owner: str, *, scheme: str, lifetime: timedelta = timedelta(days=365), now: datetime | None = None
) -> DecryptionKey:
    """A new key to encrypt to and to read with.

    Raises:
        KeyringError: an owner's name that is none, an unknown scheme, a lifetime that is not positive or has no end.
    """
    created, expires = lifetime_of(lifetime, now)
    secret = encryption_scheme_named(scheme, "new key").generate()
    return make_decryption_key(
        scheme=scheme, owner=owner, created=created, expires=expires, secret=secret, where="new key"
    )


def encryption_trust_entry(
    key: DecryptionKey,
    *,
    queues: Iterable[str] = (),
    results: Iterable[str] = (),
    secret_reference: str | None = None,
) -> str:
    """The TOML that lets others encrypt to this key.

    Args:
        key: the new key.
        queues: names or globs of queues whose consumers hold it.
        results: names or globs of tasks whose results its owner reads.
        secret_reference: for a symmetric scheme, where senders find the secret: the entry itself is no secret.

    Raises:
        KeyringError: a symmetric scheme without ``secret_reference``, or a text that TOML would read as another.
    """
    scheme = encryption_scheme_named(key.scheme, key.kid)
    return trust_table("encryption", key, scheme, "senders", secret_reference, {"queues": queues, "results": results})
