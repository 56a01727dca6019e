"""What the vectors are made of: keys with fixed secrets, and messages sealed by hand where ``seal`` would refuse to."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from safecelery.keys import base64url
from safecelery.keys.document import key_id
from safecelery.keys.ring import Keyring
from safecelery.keys.schemes import SCHEMES
from safecelery.keys.trust import TrustedKey, TrustStore
from safecelery.message.claims import Audience, Claims
from safecelery.message.pae import pae

NOW = 1_800_000_000
SKEW = 60
MOST = 65_536
BODY = b'[[2,3],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]'
OTHER_BODY = b'[[2,4],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]'
JTI = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Key:
    """A key of the vectors' trust store. The secrets are in the open: nobody may ever use them for anything else."""

    owner: str
    scheme: str
    secret: bytes
    not_before: int | None = NOW - 1000
    expires: int = NOW + 1_000_000
    revoked: bool = False

    @property
    def kid(self) -> str:
        return key_id(self.owner, SCHEMES[self.scheme].public(self.secret))

    def sign(self, data: bytes) -> bytes:
        return SCHEMES[self.scheme].signer(self.secret).sign(data)

    def trusted(self) -> TrustedKey:
        scheme = SCHEMES[self.scheme]
        material = self.secret if scheme.symmetric else scheme.public(self.secret)
        return TrustedKey(
            kid=self.kid, owner=self.owner, scheme=self.scheme, not_before=self.not_before, expires=self.expires,
            revoked=self.revoked, send=("*",), queues=("*",), control=(), verifier=scheme.verifier(material),
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        public = SCHEMES[self.scheme].public(self.secret)
        shown = {} if SCHEMES[self.scheme].symmetric else {"public": base64url.encode(public)}
        return {
            "kid": self.kid, "owner": self.owner, "scheme": self.scheme,
            "secret": base64url.encode(self.secret), **shown,
            "not_before": self.not_before, "expires": self.expires, "revoked": self.revoked,
        }  # fmt: skip


def _secret(number: int, length: int = 32) -> bytes:
    return bytes((number * 37 + index) % 256 for index in range(length))


@dataclass(frozen=True)
class Family:
    """The keys of one scheme, one for each thing that a key can be."""

    scheme: str

    @cache  # noqa: B019  # two families, for as long as the generator runs
    def key(self, owner: str) -> Key:
        base = 0 if self.scheme == "ed25519" else 100
        return {
            "web": lambda: Key("web", self.scheme, _secret(base + 1)),
            "batch": lambda: Key("batch", self.scheme, _secret(base + 2)),
            "revoked": lambda: Key("revoked", self.scheme, _secret(base + 3), revoked=True),
            "expired": lambda: Key("expired", self.scheme, _secret(base + 4), expires=NOW),
            "future": lambda: Key("future", self.scheme, _secret(base + 5), not_before=NOW + SKEW + 1),
            "soon": lambda: Key("soon", self.scheme, _secret(base + 6), not_before=NOW + SKEW),
            "stranger": lambda: Key("stranger", self.scheme, _secret(base + 7)),
        }[owner]()

    @property
    def trusted(self) -> list[Key]:
        return [self.key(owner) for owner in ("web", "batch", "revoked", "expired", "future", "soon")]


def ring(keys: list[Key]) -> Keyring:
    return Keyring(None, TrustStore({key.kid: key.trusted() for key in keys}))


def claims(key: Key, **changes: Any) -> Claims:
    """Good claims, with changes."""
    members: dict[str, Any] = {
        "typ": "task", "kid": key.kid, "iat": NOW, "exp": NOW + 600, "jti": JTI, "aud": Audience(queue="orders"),
        "ct": "application/json", "ce": "utf-8", "cmp": None, "hdr": {"task": "shop.add", "id": "t-1", "retries": 0},
        "props": {"correlation_id": "t-1"},
    }  # fmt: skip
    return Claims(**{**members, **changes})


def members(key: Key, **changes: Any) -> dict[str, Any]:
    """The same as an object, which may be changed into what ``Claims`` would not hold."""
    return {**json.loads(claims(key).to_bytes()), **changes}


def written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def envelope(data: bytes, signature: bytes) -> str:
    return f"{base64url.encode(data)}.{base64url.encode(signature)}"


def signed(key: Key, data: bytes, body: bytes = BODY, typ: str = "task") -> str:
    """An envelope whose signature is right, whatever the claims are."""
    return envelope(data, key.sign(pae(typ, data, body)))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One test. Without a reason it is valid."""

    comment: str
    flags: str
    header: Any
    reason: str | None = None
    body: bytes = BODY
    plain: bytes | None = None
    now: int = NOW
    most: int = MOST
    expect: str = "task"
    headers: Mapping[str, Any] | None = field(default=None)

    def as_json(self, number: int) -> dict[str, Any]:
        outcome: dict[str, Any] = {"result": "invalid", "reason": self.reason}
        if self.reason is None:
            data = base64url.decode(self.header.partition(".")[0])
            plain = self.body if self.plain is None else self.plain
            outcome = {"result": "valid", "claims": json.loads(data), "plain": base64.b64encode(plain).decode()}
        return {
            "tcId": number, "comment": self.comment, "flags": self.flags.split(), "now": self.now,
            "maxBytes": self.most, "maxSkew": SKEW, "expect": self.expect,
            "message": {
                "body": base64.b64encode(self.body).decode(),
                "headers": {"safecelery": self.header} if self.headers is None else dict(self.headers),
                "queue": "orders",
            },
            **outcome,
        }  # fmt: skip
