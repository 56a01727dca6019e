"""Shortcuts through the stages of a message. mypy --strict has to refuse each marked line, and only those."""

from __future__ import annotations

from safecelery.firewall import Context, admit
from safecelery.keys.trust import TrustedKey
from safecelery.message.claims import Claims
from safecelery.message.stages import AdmittedMessage, RawMessage, VerifiedMessage
from safecelery.runtime.consume import _rebuild


def not_verified(raw: RawMessage, context: Context) -> None:
    admit(raw, context)  # refused: arg-type


def not_admitted(verified: VerifiedMessage, message: object) -> None:
    _rebuild(message, verified)  # refused: arg-type


def one_for_another(raw: RawMessage) -> VerifiedMessage:
    return raw  # refused: return-value


def two_for_another(verified: VerifiedMessage) -> AdmittedMessage:
    return verified  # refused: return-value


def without_token(claims: Claims, key: TrustedKey) -> VerifiedMessage:
    return VerifiedMessage(claims, b"", key, "orders")  # refused: call-arg


def with_another_token(verified: VerifiedMessage) -> AdmittedMessage:
    return AdmittedMessage(verified, b"", object())  # refused: arg-type


def changed(verified: VerifiedMessage) -> None:
    verified.body = b"other"  # refused: misc


class Looser(VerifiedMessage):  # refused: misc
    """A subclass could forget the token."""


def as_it_should_be(verified: VerifiedMessage, context: Context) -> AdmittedMessage:
    return admit(verified, context)
