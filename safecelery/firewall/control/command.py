"""The ordered checks of one command (E11.3). The first that objects decides."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NoReturn

from safecelery.errors import Reason, Rejected
from safecelery.firewall.control.arguments import ALIASES
from safecelery.firewall.control.memory import Memory
from safecelery.message.claims import Audience, Claims
from safecelery.message.codec import Malformed, decode_json
from safecelery.message.control import COMMAND, LIFETIME_S, MATCHERS
from safecelery.message.stages import VerifiedMessage

__all__ = ["Command", "CommandContext", "admit_command"]

_ALWAYS = {"method", "arguments", "destination", "pattern", "matcher"}
_WITH_REPLY = _ALWAYS | {"ticket", "reply_to"}
#: Characters of a name: of a command, a worker, a pattern, an address of replies.
_LONGEST = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that its signer may give to this worker, now, for the first time. Its arguments are not checked yet."""

    method: str
    """Its proper name, whatever alias was used."""
    arguments: dict[str, Any]
    kid: str
    """Of the key that signed it."""
    jti: str
    ticket: str | None
    reply_key: str | None
    """Routing key of the reply; None where none is wanted."""


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What the checks may know besides the message. Nothing here comes from the message."""

    exchange: str
    """The exchange of commands."""
    reply_exchange: str
    hostname: str
    """This worker's name."""
    known: Container[str]
    """Commands this worker has, by their proper names."""
    started: float
    """Since when this worker remembers, in seconds since the epoch."""
    max_skew_s: float
    """Seconds by which clocks may differ."""
    memory: Memory = field(repr=False)


def admit_command(message: VerifiedMessage, context: CommandContext, now: float) -> Command | None:
    """Let a command pass, in this order:

    1. It is a command, for this exchange, valid for no longer than commands are, and given since this worker runs.
    2. Its body is well-formed.
    3. It is addressed to this worker. If not, it is none of its business: None.
    4. The command is known.
    5. Its signer may give it.
    6. It has not been given before. From here on it has.

    Args:
        now: seconds since the epoch.

    Raises:
        Rejected: and nothing else; an unexpected exception is ``Reason.INTERNAL``.
    """
    try:
        return _admit(message, context, now)
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001  # fail closed
        raise Rejected(Reason.INTERNAL, f"checking a command failed with {type(error).__name__}") from None


def _admit(message: VerifiedMessage, context: CommandContext, now: float) -> Command | None:
    claims = message.claims
    # 1. kind, place, time
    if claims.hdr != {"kind": COMMAND} or claims.props or claims.cmp is not None:
        _refuse(Reason.CLAIMS_MALFORMED, "not signed as a command")
    if claims.aud != Audience(exchange=context.exchange, routing_key=""):
        _refuse(Reason.AUDIENCE_MISMATCH, "not signed for the exchange of commands")
    _check_time(claims, context)
    # 2. body
    body = _body(message.body)
    _check_form(body, context)
    # 3. destination
    if not _addressed(body, context.hostname):
        return None
    # 4. known
    method = ALIASES.get(body["method"], body["method"])
    if method not in context.known:
        _refuse(Reason.COMMAND_UNKNOWN, "no such command")
    # 5. grant
    if not message.key.may_command(method):
        _refuse(Reason.COMMAND_NOT_GRANTED, f"the trust store does not grant {method!r} to the key that signed")
    # 6. once
    context.memory.remember(claims.kid, claims.jti, claims.exp + context.max_skew_s, now)
    reply_to = body.get("reply_to")
    return Command(
        method=method, arguments=body["arguments"], kid=claims.kid, jti=claims.jti, ticket=body.get("ticket"),
        reply_key=reply_to["routing_key"] if reply_to else None,
    )  # fmt: skip


def _check_time(claims: Claims, context: CommandContext) -> None:
    if claims.exp - claims.iat > LIFETIME_S:
        _refuse(Reason.STALE, f"signed to be valid for longer than the {LIFETIME_S} seconds of a command")
    if claims.iat < int(context.started):
        _refuse(Reason.STALE, "signed before this worker started, which cannot know whether it was obeyed")


def _body(data: bytes) -> dict[str, Any]:
    try:
        body = decode_json(data)
    except Malformed:
        _refuse(Reason.BODY_MALFORMED, "the body of the command is not strict JSON")
    if not isinstance(body, dict) or body.keys() not in (_ALWAYS, _WITH_REPLY):
        _refuse(Reason.BODY_MALFORMED, "the body is not a command: members are missing, or unknown")
    return body


def _check_form(body: dict[str, Any], context: CommandContext) -> None:
    destination, pattern, matcher = body["destination"], body["pattern"], body["matcher"]
    if not _name(body["method"]) or not isinstance(body["arguments"], dict):
        _refuse(Reason.BODY_MALFORMED, "method or arguments are of another type")
    if destination is not None and not (isinstance(destination, list) and all(map(_name, destination))):
        _refuse(Reason.BODY_MALFORMED, "the destination is not a list of names")
    if (pattern is None) != (matcher is None) or not (pattern is None or (_name(pattern) and matcher in MATCHERS)):
        _refuse(Reason.BODY_MALFORMED, "pattern and matcher are not a glob")
    if "ticket" in body:
        address = body["reply_to"]
        if not _name(body["ticket"]) or not isinstance(address, dict) or address.keys() != {"exchange", "routing_key"}:
            _refuse(Reason.BODY_MALFORMED, "ticket or reply_to are of another type")
        if address["exchange"] != context.reply_exchange or not _name(address["routing_key"]):
            _refuse(Reason.BODY_MALFORMED, "replies do not go there")


def _name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()


def _addressed(body: dict[str, Any], hostname: str) -> bool:
    """As kombu/pidbox.py, ``Node.handle_message``: the list if there is one, else the pattern, else everybody."""
    if body["destination"]:
        return hostname in body["destination"]
    return body["pattern"] is None or fnmatchcase(hostname, body["pattern"])


def _refuse(reason: Reason, detail: str) -> NoReturn:
    raise Rejected(reason, detail) from None
