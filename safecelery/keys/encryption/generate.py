"""Making encryption keys: the private document, and the entry for everybody's trust store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from safecelery.errors import KeyringError
from safecelery.keys import base64url
from safecelery.keys.encryption.private import DecryptionKey, make_decryption_key
from safecelery.keys.encryption.schemes import encryption_scheme_named
from safecelery.keys.generate import lifetime_of, quoted, quoted_list

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
    if scheme.symmetric and secret_reference is None:
        raise KeyringError(f"{key.kid}: {key.scheme} is symmetric; say where senders find the secret (file: or env:)")
    material = (
        f"secret = {quoted(secret_reference or '', 'secret_reference')}"
        if scheme.symmetric
        else f'public = "{base64url.encode(scheme.public(key.secret.reveal()))}"'
    )
    return (
        f'[encryption."{key.kid}"]\nowner = "{key.owner}"\nscheme = "{key.scheme}"\n{material}\n'
        f"not_before = {key.created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        f"expires = {key.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        f"queues = {quoted_list(queues)}\nresults = {quoted_list(results)}\n"
    )
