"""A private key and the document it is kept in."""

from __future__ import annotations

import hashlib
import re
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from safecelery.errors import KeyringError
from safecelery.keys import base64url
from safecelery.keys.interface import SecretMaterial, Signer
from safecelery.keys.schemes import scheme_named

__all__ = [
    "OWNER",
    "PrivateKey",
    "check_owner",
    "key_id",
    "key_in_use",
    "make_private",
    "parse_private",
    "read_document",
    "render_document",
    "render_private",
]

#: Names of owners, as they appear in key ids, logs and trust stores.
OWNER = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_MEMBERS = {"kid", "scheme", "owner", "created", "expires", "secret"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A key that signs, with whose it is and until when."""

    kid: str
    scheme: str
    owner: str
    created: datetime
    expires: datetime
    secret: SecretMaterial = field(repr=False, compare=False)
    signer: Signer = field(repr=False, compare=False)

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``."""
        return self.signer.sign(data)

    def __reduce__(self) -> str:
        raise TypeError("private keys are not pickled or copied; load them where they are needed")


def key_id(owner: str, public: bytes) -> str:
    """``OWNER-xxxxxxxx``: eight hexadecimal digits of the public part's SHA-256."""
    return f"{owner}-{hashlib.sha256(public).hexdigest()[:8]}"


def check_owner(owner: str, where: str) -> None:
    """Raises KeyringError for a name that is none (E6.2)."""
    if not OWNER.fullmatch(owner):
        raise KeyringError(
            f"{where}: owner {owner!r} must be lower-case letters, digits, '_', '.' or '-', at most 63 of them"
        )


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


class _Documented(Protocol):
    """What a private document tells of its key."""

    @property
    def kid(self) -> str: ...
    @property
    def scheme(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def created(self) -> datetime: ...
    @property
    def expires(self) -> datetime: ...
    @property
    def secret(self) -> SecretMaterial: ...


def render_document(key: _Documented, warning: str) -> str:
    """The document of a private key, of whatever kind (E6.3)."""
    return (
        f"# Private key of safecelery. {warning}.\n"
        f'kid = "{key.kid}"\nscheme = "{key.scheme}"\nowner = "{key.owner}"\n'
        f"created = {key.created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        f"expires = {key.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        f'secret = "{base64url.encode(key.secret.reveal())}"\n'
    )


def render_private(key: PrivateKey) -> str:
    """The document that keeps the key: TOML."""
    return render_document(key, "Whoever reads this file can sign as its owner")


def read_document(text: str, where: str) -> dict[str, Any]:
    """The members of a private key's document, of whatever kind: each of its type, ``secret`` as bytes.

    Raises:
        KeyringError: not such a document, with the place and what is amiss; never with what it contains.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        raise KeyringError(f"{where}: not a private key of safecelery (not TOML)") from None
    if document.keys() != _MEMBERS:
        odd = sorted(document.keys() ^ _MEMBERS)
        raise KeyringError(f"{where}: missing or unknown members: {', '.join(odd)}")
    for name in ("created", "expires"):
        if not isinstance(document[name], datetime) or document[name].tzinfo is None:
            raise KeyringError(f"{where}: {name} must be a date and time with a time zone")
    if document["expires"] <= document["created"]:
        raise KeyringError(f"{where}: expires before it was created")
    for name in ("kid", "owner", "scheme", "secret"):
        if not isinstance(document[name], str):
            raise KeyringError(f"{where}: {name} must be text")
    try:
        return document | {"secret": base64url.decode(document["secret"])}
    except ValueError:
        raise KeyringError(f"{where}: secret is not base64url") from None


def parse_private(text: str, where: str) -> PrivateKey:
    """Read the document.

    Raises:
        KeyringError: as :func:`read_document`, or its secret or id is none of its scheme's.
    """
    document = read_document(text, where)
    key = make_private(
        scheme=document["scheme"], owner=document["owner"], created=document["created"],
        expires=document["expires"], secret=document["secret"], where=where,
    )  # fmt: skip
    if key.kid != document["kid"]:
        raise KeyringError(f"{where}: kid {document['kid']!r} is not the id of this secret and owner ({key.kid!r})")
    return key
