"""The stages of a received message, as types. Each is made by one function only: a shortcut does not type-check.

``RawMessage`` -- ``unseal`` --> ``VerifiedMessage`` -- ``firewall.admit`` --> ``AdmittedMessage``

Beside it, in report mode only, for a message that is not signed at all:

``RawMessage`` -- ``take_unsigned`` --> ``UnverifiedButReported`` -- ``firewall.admit`` --> ``AdmittedMessage``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any, Final, final

from safecelery.errors import Rejected
from safecelery.keys.trust import TrustedKey
from safecelery.message.claims import Claims

__all__ = [
    "AdmittedMessage",
    "RawMessage",
    "UnverifiedButReported",
    "VerifiedMessage",
    "admitted",
    "unverified_but_reported",
    "verified",
]


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
class UnverifiedButReported:
    """Signed by nobody, so anybody may have written it; there is one in report mode only.

    It has no key, so no check that asks for grants takes it.
    """

    claims: Claims
    """What the message says of itself, in the form that signed claims have. Nobody vouches for any of it; the audience
    is the queue it was read from, and the id is made up here, a new one at every delivery."""
    body: bytes
    queue: str
    _token: InitVar[_Token]

    def __post_init__(self, _token: _Token) -> None:
        _only_by(_token, "take_unsigned")


@final
@dataclass(frozen=True, slots=True)
class AdmittedMessage:
    """Let through by the firewall: the only kind of message that is executed."""

    message: VerifiedMessage | UnverifiedButReported
    plain: bytes
    """The decompressed body."""
    _token: InitVar[_Token]
    objections: tuple[Rejected, ...] = ()
    """What would have refused it, if its sender were not in report mode. Empty for every other message."""

    def __post_init__(self, _token: _Token) -> None:
        _only_by(_token, "firewall.admit")

    @property
    def claims(self) -> Claims:
        """What Celery is told of the message."""
        return self.message.claims

    @property
    def queue(self) -> str:
        """The queue it was read from."""
        return self.message.queue

    @property
    def verified(self) -> VerifiedMessage | None:
        """The message, if anybody vouches for it."""
        return self.message if isinstance(self.message, VerifiedMessage) else None


def _only_by(token: object, maker: str) -> None:
    if token is not _TOKEN:
        raise TypeError(f"this stage is made by {maker}() only")


def verified(claims: Claims, body: bytes, key: TrustedKey, queue: str) -> VerifiedMessage:
    """Called by ``unseal`` alone, at the end of its list."""
    return VerifiedMessage(claims, body, key, queue, _TOKEN)


def unverified_but_reported(claims: Claims, body: bytes, queue: str) -> UnverifiedButReported:
    """Called by ``take_unsigned`` alone, in report mode alone."""
    return UnverifiedButReported(claims, body, queue, _TOKEN)


def admitted(
    message: VerifiedMessage | UnverifiedButReported, plain: bytes, objections: tuple[Rejected, ...] = ()
) -> AdmittedMessage:
    """Called by ``firewall.admit`` alone, after its last check."""
    return AdmittedMessage(message, plain, _TOKEN, objections)
