"""The stages of a received message, as types. Each is made by one function only: a shortcut does not type-check.

``RawMessage`` -- ``unseal`` --> ``VerifiedMessage`` -- ``firewall.admit`` --> ``AdmittedMessage``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any, Final, final

from safecelery.keys.trust import TrustedKey
from safecelery.message.claims import Claims

__all__ = ["AdmittedMessage", "RawMessage", "VerifiedMessage", "admitted", "verified"]


@final
class _Token:
    """Proof that a stage was made by its function; only this module has one, and no stage keeps it: a copy with other
    contents (``dataclasses.replace``) would need one too."""


_TOKEN: Final = _Token()


@final
@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it came. Nothing in it is to be believed but ``queue``, which the consumer knows itself."""

    body: bytes
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    content_type: Any
    content_encoding: Any
    queue: str


@final
@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """Signed by a known, valid key; the outer headers are gone. Not yet allowed to do anything."""

    claims: Claims
    body: bytes
    """As sent; still compressed if ``claims.cmp`` says so."""
    key: TrustedKey
    queue: str
    _token: InitVar[_Token]

    def __post_init__(self, _token: _Token) -> None:
        _only_by(_token, "unseal")


@final
@dataclass(frozen=True, slots=True)
class AdmittedMessage:
    """Passed every check of the firewall: the only kind of message that is executed."""

    verified: VerifiedMessage
    plain: bytes
    """The decompressed body."""
    _token: InitVar[_Token]

    def __post_init__(self, _token: _Token) -> None:
        _only_by(_token, "firewall.admit")


def _only_by(token: object, maker: str) -> None:
    if token is not _TOKEN:
        raise TypeError(f"this stage is made by {maker}() only")


def verified(claims: Claims, body: bytes, key: TrustedKey, queue: str) -> VerifiedMessage:
    """Called by ``unseal`` alone, at the end of its list."""
    return VerifiedMessage(claims, body, key, queue, _TOKEN)


def admitted(message: VerifiedMessage, plain: bytes) -> AdmittedMessage:
    """Called by ``firewall.admit`` alone, after its last check."""
    return AdmittedMessage(message, plain, _TOKEN)
