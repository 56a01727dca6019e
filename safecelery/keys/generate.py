"""Making keys: the private document, and the entry for everybody's trust store."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from safecelery.errors import KeyringError
from safecelery.keys import base64url
from safecelery.keys.document import OwnedSecret
from safecelery.keys.encryption.interface import EncryptionScheme
from safecelery.keys.interface import Scheme
from safecelery.keys.private import PrivateKey, make_private, render_private
from safecelery.keys.schemes import DEFAULT_SCHEME, scheme_named

__all__ = [
    "generate_key",
    "lifetime_of",
    "trust_entry",
    "trust_table",
    "write_document",
    "write_private",
]


def generate_key(
    owner: str,
    *,
    scheme: str = DEFAULT_SCHEME,
    lifetime: timedelta = timedelta(days=365),
    now: datetime | None = None,
) -> PrivateKey:
    """A new private key.

    Raises:
        KeyringError: an owner's name that is none, an unknown scheme, a lifetime that is not positive or has no end.
    """
    created, expires = lifetime_of(lifetime, now)
    secret = scheme_named(scheme, "new key").generate()
    return make_private(scheme=scheme, owner=owner, created=created, expires=expires, secret=secret, where="new key")


def lifetime_of(lifetime: timedelta, now: datetime | None) -> tuple[datetime, datetime]:
    """From when until when a new key is valid, in whole seconds.

    Raises:
        KeyringError: a lifetime that is not positive or has no end.
    """
    if lifetime <= timedelta(0):
        raise KeyringError("a key's lifetime must be positive")
    created = (now or datetime.now(UTC)).replace(microsecond=0)
    try:
        return created, created + lifetime
    except OverflowError:
        raise KeyringError("a key's lifetime must end before the year 10000") from None


def trust_entry(
    key: PrivateKey,
    *,
    send: Iterable[str] = (),
    queues: Iterable[str] = (),
    control: Iterable[str] = (),
    results: Iterable[str] = (),
    secret_reference: str | None = None,
) -> str:
    """The TOML that lets others trust this key, and for what.

    Args:
        key: the new key.
        send: names or globs (``billing.*``) of tasks it may send.
        queues: names or globs of queues it may send to.
        control: remote commands it may give.
        results: names or globs of tasks for which it may answer. A service needs none to believe itself.
        secret_reference: for a symmetric scheme, where verifiers find the secret: the entry itself is no secret.

    Raises:
        KeyringError: a symmetric scheme without ``secret_reference``, or a text that TOML would read as another.
    """
    answers = tuple(results)
    grants = {"send": send, "queues": queues, "control": control} | ({"results": answers} if answers else {})
    return trust_table("keys", key, scheme_named(key.scheme, key.kid), "verifiers", secret_reference, grants)


def trust_table(
    table: str,
    key: OwnedSecret,
    scheme: Scheme | EncryptionScheme,
    who: str,
    secret_reference: str | None,
    grants: Mapping[str, Iterable[str]],
) -> str:
    """The entry of a trust store for a key of either kind.

    Args:
        table: ``keys`` or ``encryption``.
        who: finds the secret of a symmetric scheme, for the error.
        secret_reference: where that is; the entry itself is no secret.
        grants: lists of names and globs.

    Raises:
        KeyringError: a symmetric scheme without ``secret_reference``, or a text that TOML would read as another.
    """
    if not scheme.symmetric:
        material = f'public = "{base64url.encode(scheme.public(key.secret.reveal()))}"'
    elif secret_reference is None:
        raise KeyringError(f"{key.kid}: {key.scheme} is symmetric; say where {who} find the secret (file: or env:)")
    else:
        material = f"secret = {_quoted(secret_reference, 'secret_reference')}"
    return (
        f'[{table}."{key.kid}"]\nowner = "{key.owner}"\nscheme = "{key.scheme}"\n{material}\n'
        f"not_before = {key.created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        f"expires = {key.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
    ) + "".join(f"{name} = [{', '.join(_quoted(item, 'grant') for item in items)}]\n" for name, items in grants.items())


def _quoted(text: str, what: str) -> str:
    """Text as TOML. Raises KeyringError for text that TOML would read as another."""
    if not text or any(c in text for c in '"\\') or not text.isprintable():
        raise KeyringError(f"{what} {text!r}: must be printable text without quotes and backslashes")
    return f'"{text}"'


def write_private(path: Path, key: PrivateKey) -> None:
    """Keep the key in a new file of mode 0600, whole or not at all: a process that reads it (``directory:``) never sees
    half of it.

    Raises:
        KeyringError: the file exists (a key is never overwritten), or cannot be written.
    """
    write_document(path, render_private(key))


def write_document(path: Path, text: str) -> None:
    """As :func:`write_private`, of a private document of whatever kind."""
    half = path.with_name(f".{secrets.token_hex(8)}.new")  # a name that no source reads
    try:
        try:
            _write(half, text)
            os.link(half, path, follow_symlinks=False)
        finally:
            half.unlink(missing_ok=True)
    except FileExistsError:
        raise KeyringError(f"{path} exists, and a key is never overwritten; choose another name") from None
    except OSError as error:
        raise KeyringError(f"{path}: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)  # a umask may have taken away the owner's own rights
        file.write(text)
        file.flush()
        os.fsync(descriptor)
