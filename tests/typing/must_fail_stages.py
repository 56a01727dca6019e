"""Shortcuts through the stages of a message. mypy --strict has to refuse each marked line, and only those."""

from __future__ import annotations

from safecelery.brokers.undecoded import Undecoded
from safecelery.firewall import Body, Context, admit
from safecelery.firewall.checks.grants import grants
from safecelery.firewall.checks.shape import shape
from safecelery.keys.trust import TrustedKey
from safecelery.message.claims import Claims
from safecelery.message.stages import AdmittedMessage, RawMessage, UnverifiedButReported, VerifiedMessage
from safecelery.runtime.consume import _rebuild
from safecelery.runtime.guard import Guard


def not_verified(raw: RawMessage, context: Context) -> None:
    admit(raw, context)  # refused: arg-type


def not_admitted(verified: VerifiedMessage, message: Undecoded, guard: Guard) -> None:
    _rebuild(message, verified, guard)  # refused: arg-type


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


def unsigned_as_signed(unsigned: UnverifiedButReported) -> VerifiedMessage:
    return unsigned  # refused: return-value


def grants_of_nobody(unsigned: UnverifiedButReported, body: Body, context: Context) -> None:
    grants(unsigned, body, context)  # refused: arg-type
    shape(unsigned, body, context)


def unsigned_without_token(claims: Claims) -> UnverifiedButReported:
    return UnverifiedButReported(claims, b"", "orders")  # refused: call-arg


def key_of_an_admitted_one(admitted: AdmittedMessage) -> TrustedKey:
    return admitted.verified.key  # refused: union-attr


def as_it_should_be(verified: VerifiedMessage, context: Context) -> AdmittedMessage:
    return admit(verified, context)
