"""Verified messages and contexts that every check lets pass, to be spoilt one thing at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from safecelery.firewall import Binding, Body, Context
from safecelery.keys.trust import TrustedKey
from safecelery.message.claims import Audience, Claims
from safecelery.message.stages import VerifiedMessage, verified
from safecelery.policy.limits import Limits
from safecelery.policy.profile import load_policy

__all__ = ["NOW", "a_body", "a_context", "a_key", "a_message", "limits"]

NOW = 1_800_000_000.0


class Nobody:
    """A verifier that is never asked: the signature was checked before."""

    def verify(self, signature: bytes, data: bytes) -> None:
        raise AssertionError("the firewall checks no signatures")


def limits() -> Limits:
    """The baseline's numbers."""
    return load_policy("baseline").limits


def a_key(*, send: Sequence[str] = ("shop.*",), queues: Sequence[str] = ("orders",)) -> TrustedKey:
    """A key that may send ``shop.*`` to ``orders``."""
    return TrustedKey(
        kid="web-01234567", owner="web", scheme="ed25519", not_before=None, expires=NOW + 3600, revoked=False,
        send=tuple(send), queues=tuple(queues), control=(), verifier=Nobody(),
    )  # fmt: skip


def a_body(*args: Any, embed: dict[str, Any] | None = None, **kwargs: Any) -> Body:
    """A parsed body."""
    return Body(list(args), kwargs, embed or {})


def a_message(
    *,
    key: TrustedKey | None = None,
    queue: str = "orders",
    aud: Audience | None = None,
    body: object = None,
    cmp: str | None = None,
    exp: int = int(NOW) + 600,
    **headers: Any,
) -> VerifiedMessage:
    """A message from that key; keywords are headers."""
    claims = Claims(
        typ="task", kid="web-01234567", iat=int(NOW), exp=exp, jti="j", aud=aud or Audience(queue=queue),
        ct="application/json", ce="utf-8", cmp=cmp, hdr={"task": "shop.charge", "id": "1", **headers}, props={},
    )  # fmt: skip
    data = body if isinstance(body, bytes) else json.dumps([[], {}, {}] if body is None else body).encode()
    return verified(claims, data, key or a_key(), queue)


def a_context(*, bindings: Sequence[Binding] = (), registered: Sequence[str] = ("shop.charge",)) -> Context:
    """A worker that knows ``shop.charge``."""
    return Context(limits(), NOW, registered, lambda queue: bindings)
