"""Drafts and received messages for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safecelery.keys.private import PrivateKey
from safecelery.keys.ring import Keyring
from safecelery.message.claims import Audience
from safecelery.message.codec import encode_json, join
from safecelery.message.pae import pae
from safecelery.message.seal import HEADER, Draft
from safecelery.message.stages import RawMessage, VerifiedMessage
from safecelery.message.unseal import unseal
from tests.unit.keys.key_builders import T, a_private, a_ring

BODY = b'[[2, 3], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'
HDR: Mapping[str, Any] = {"task": "orders.pay", "id": "t-1", "retries": 0, "timelimit": [None, None], "stamps": {}}
MOST = 100_000
NOW = T + 60


def a_draft(**changes: Any) -> Draft:
    members: dict[str, Any] = {
        "typ": "task", "aud": Audience(queue="orders"), "ct": "application/json", "ce": "utf-8", "cmp": None,
        "hdr": dict(HDR), "props": {"correlation_id": "t-1"}, "body": BODY, "lifetime_s": 600,
    }  # fmt: skip
    return Draft(**{**members, **changes})


def some_claims(**changes: Any) -> dict[str, Any]:
    """Claims as JSON; good ones unless changed."""
    members: dict[str, Any] = {
        "v": 1, "typ": "task", "kid": a_private().kid, "iat": int(NOW), "exp": int(NOW) + 600, "jti": "0" * 32,
        "aud": {"queue": "orders"}, "ct": "application/json", "ce": "utf-8", "cmp": None, "hdr": dict(HDR),
        "props": {},
    }  # fmt: skip
    return {**members, **changes}


def signed(claims: object, body: bytes = BODY, key: PrivateKey | None = None) -> str:
    """A right signature over whatever is given."""
    data = claims if isinstance(claims, bytes) else encode_json(claims)
    typ = claims.get("typ") if isinstance(claims, dict) else "task"
    kind = typ if isinstance(typ, str) and typ.isascii() else "task"
    return join(data, (key or a_private()).sign(pae(kind, data, body)))


def raw(header: object, body: bytes = BODY, queue: str = "orders", **outer: Any) -> RawMessage:
    return RawMessage(body, {**outer, HEADER: header}, {}, "application/json", "utf-8", queue)


def opened(message: RawMessage, ring: Keyring | None = None, **how: Any) -> VerifiedMessage:
    return unseal(message, ring or a_ring(), **{"now": NOW, "max_bytes": MOST, **how})
