"""Verified commands and replies that pass every check, to be spoilt one thing at a time."""

from __future__ import annotations

import json
from typing import Any

from safecelery.firewall.control import CommandContext, Memory, Question
from safecelery.keys.trust import TrustedKey
from safecelery.message.claims import Audience, Claims
from safecelery.message.stages import VerifiedMessage, verified
from tests.unit.firewall.messages import NOW, Nobody

__all__ = ["ADDRESS", "KNOWN", "a_command", "a_command_context", "a_commander", "a_question", "a_reply"]

KNOWN = frozenset({"ping", "conf", "shutdown", "mine"})
ADDRESS = {"exchange": "reply.celery.pidbox", "routing_key": "caller"}
_BODY: dict[str, Any] = {"method": "ping", "arguments": {}, "destination": None, "pattern": None, "matcher": None}


def a_commander(*control: str) -> TrustedKey:
    """A key with these grants; by default all."""
    return TrustedKey(
        kid="ops-01234567", owner="ops", scheme="ed25519", not_before=None, expires=NOW + 3600, revoked=False,
        send=(), queues=(), control=control or ("*",), verifier=Nobody(),
    )  # fmt: skip


def a_command_context(**changes: Any) -> CommandContext:
    """A worker ``a@host`` that started a minute ago."""
    values: dict[str, Any] = {
        "exchange": "celery.pidbox", "reply_exchange": ADDRESS["exchange"], "hostname": "a@host", "known": KNOWN,
        "started": NOW - 60, "max_skew_s": 10.0, "memory": Memory(),
    }  # fmt: skip
    return CommandContext(**(values | changes))


def _verified(body: bytes, key: TrustedKey, members: dict[str, Any]) -> VerifiedMessage:
    values: dict[str, Any] = {
        "typ": "control", "kid": key.kid, "iat": int(NOW), "exp": int(NOW) + 60, "jti": "j" * 16,
        "ct": "application/json", "ce": "utf-8", "cmp": None, "props": {},
    }  # fmt: skip
    return verified(Claims(**(values | members)), body, key, "a@host.celery.pidbox")


def a_command(*, key: TrustedKey | None = None, raw: bytes | None = None, claims: Any = None, **body: Any) -> Any:
    """``ping`` for everybody; keywords are members of the body, ``...`` takes one away."""
    members = {name: value for name, value in (_BODY | body).items() if value is not ...}
    aud = Audience(exchange="celery.pidbox", routing_key="")
    return _verified(
        json.dumps(members).encode() if raw is None else raw,
        key or a_commander(),
        {"aud": aud, "hdr": {"kind": "command"}} | (claims or {}),
    )


def a_question(**changes: Any) -> Question:
    """The question that :func:`a_reply` answers."""
    return Question(**({"jti": "q" * 16, **ADDRESS} | changes))


def a_reply(**claims: Any) -> VerifiedMessage:
    """The answer of ``a@host``; keywords are claims."""
    hdr = {"kind": "reply", "request": "q" * 16, "worker": "a@host"}
    return _verified(b'{"a@host": 1}', a_commander(), {"aud": Audience(**ADDRESS), "hdr": hdr} | claims)
