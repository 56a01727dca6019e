"""Whether a reply is the answer of a worker to the question that was asked (E11.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from safecelery.errors import Reason, Rejected
from safecelery.message.claims import Audience
from safecelery.message.control import LIFETIME_S, REPLY
from safecelery.message.stages import VerifiedMessage

__all__ = ["Question", "admit_reply"]


@dataclass(frozen=True, slots=True)
class Question:
    """A command that waits for its replies."""

    jti: str
    """Of the command."""
    exchange: str
    """Where its replies were asked to."""
    routing_key: str
    destination: Sequence[str] = ()
    """The workers that were asked; empty for whoever hears it."""
    heard: set[tuple[str, str]] = field(default_factory=set, compare=False, init=False)
    """Replies so far, by key and id."""


def admit_reply(message: VerifiedMessage, question: Question) -> str:
    """The name of the worker that answered.

    Raises:
        Rejected: not signed as a reply, to somebody or something else, a second time, or by a worker that was not
            asked.
    """
    claims = message.claims
    worker = claims.hdr.get("worker")
    if (
        claims.hdr.keys() != {"kind", "request", "worker"}
        or claims.hdr["kind"] != REPLY
        or not isinstance(worker, str)
        or claims.props
        or claims.cmp is not None
    ):
        _refuse(Reason.CLAIMS_MALFORMED, "not signed as a reply")
    if claims.aud != Audience(exchange=question.exchange, routing_key=question.routing_key):
        _refuse(Reason.AUDIENCE_MISMATCH, "signed for another caller")
    if claims.exp - claims.iat > LIFETIME_S:
        _refuse(Reason.STALE, f"signed to be valid for longer than the {LIFETIME_S} seconds of a reply")
    if claims.hdr["request"] != question.jti:
        _refuse(Reason.REPLY_UNASKED, "a reply to another command")
    if question.destination and worker not in question.destination:
        _refuse(Reason.REPLY_UNASKED, "a reply of a worker that was not asked")
    if (claims.kid, claims.jti) in question.heard:
        _refuse(Reason.COMMAND_REPLAYED, "this reply came before")
    question.heard.add((claims.kid, claims.jti))
    return worker


def _refuse(reason: Reason, detail: str) -> NoReturn:
    raise Rejected(reason, detail)
