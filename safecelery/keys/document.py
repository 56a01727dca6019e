"""The document in which one private key is kept, of whatever kind: what it says, and how it is read and written."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from safecelery.errors import KeyringError
from safecelery.keys import base64url
from safecelery.keys.interface import SecretMaterial

__all__ = ["OWNER", "OwnedSecret", "check_owner", "key_id", "parse_document", "read_document", "render_document"]

#: Names of owners, as they appear in key ids, logs and trust stores.
OWNER = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_MEMBERS = {"kid", "scheme", "owner", "created", "expires", "secret"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedSecret:
    """What every private key has: whose it is, and until when."""

    kid: str
    scheme: str
    owner: str
    created: datetime
    expires: datetime
    secret: SecretMaterial = field(repr=False, compare=False)

    def __reduce__(self) -> str:
        raise TypeError("private keys are not pickled or copied; load them where they are needed")


K = TypeVar("K", bound=OwnedSecret)


def key_id(owner: str, public: bytes) -> str:
    """``OWNER-xxxxxxxx``: eight hexadecimal digits of the public part's SHA-256."""
    return f"{owner}-{hashlib.sha256(public).hexdigest()[:8]}"


def check_owner(owner: str, where: str) -> None:
    """Raises KeyringError for a name that is none (E6.2)."""
    if not OWNER.fullmatch(owner):
        raise KeyringError(
            f"{where}: owner {owner!r} must be lower-case letters, digits, '_', '.' or '-', at most 63 of them"
        )


def render_document(key: OwnedSecret, warning: str) -> str:
    """The document of a private key, of whatever kind (E6.3)."""
    return (
        f"# Private key of safecelery. {warning}.\n"
        f'kid = "{key.kid}"\nscheme = "{key.scheme}"\nowner = "{key.owner}"\n'
        f"created = {key.created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        f"expires = {key.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        f'secret = "{base64url.encode(key.secret.reveal())}"\n'
    )


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


def parse_document(text: str, where: str, make: Callable[..., K]) -> K:
    """The key that a document keeps.

    Args:
        make: makes a key of the document's members and ``where``; raises KeyringError if they are none of it.

    Raises:
        KeyringError: as :func:`read_document` and ``make``, or its id is none of its secret and owner.
    """
    members = read_document(text, where)
    kid = members.pop("kid")
    key = make(**members, where=where)
    if key.kid != kid:
        raise KeyringError(f"{where}: kid {kid!r} is not the id of this secret and owner ({key.kid!r})")
    return key
