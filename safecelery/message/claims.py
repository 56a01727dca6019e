"""What a signature binds: everything that a worker acts on besides the body."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from safecelery.message.codec import Malformed, decode_json, encode_json

__all__ = ["TYPES", "VERSION", "Audience", "Claims", "Typ"]

VERSION = 1
Typ = Literal["task", "result", "control", "event", "dead-letter"]
#: Domains of a signature: what is signed as one is refused as another (E2.2).
TYPES: tuple[Typ, ...] = ("task", "result", "control", "event", "dead-letter")
#: Message ids become keys of stores and words of logs; shorter ones are not unique (E2.2).
_JTI = re.compile(r"[A-Za-z0-9_-]{16,64}")
#: What every JSON reader takes for a whole number: RFC 8259, section 6.
_MAX_INTEGER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Audience:
    """The place a message was published to: a queue, or an exchange and routing key (E2.5). Exactly one form.

    Raises:
        Malformed: both forms, or neither.
    """

    queue: str | None = None
    exchange: str | None = None
    routing_key: str | None = None

    def __post_init__(self) -> None:
        by_queue = isinstance(self.queue, str) and bool(self.queue)
        by_exchange = isinstance(self.exchange, str) and bool(self.exchange) and isinstance(self.routing_key, str)
        neither_mixed = self.exchange is None and self.routing_key is None if by_queue else self.queue is None
        if by_queue == by_exchange or not neither_mixed:
            raise Malformed("an audience is a queue, or an exchange and a routing key")

    def as_json(self) -> dict[str, str | None]:
        """Its members, as they are signed."""
        if self.queue is not None:
            return {"queue": self.queue}
        return {"exchange": self.exchange, "routing_key": self.routing_key}

    @classmethod
    def from_json(cls, value: object) -> Audience:
        """Read from claims.

        Raises:
            Malformed: not exactly one of the two forms.
        """
        if not isinstance(value, dict) or value.keys() not in ({"queue"}, {"exchange", "routing_key"}):
            raise Malformed("aud is neither a queue nor an exchange and routing key")
        return cls(**value)

    def __str__(self) -> str:
        return f"queue {self.queue!r}" if self.queue else f"exchange {self.exchange!r}, key {self.routing_key!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The signed header of one message. Times are whole seconds since the epoch."""

    v: int = VERSION
    typ: Typ
    kid: str
    """Key that signed; also says the algorithm, which no message can choose."""
    iat: int
    """Signed at."""
    exp: int
    """Not valid from this second on."""
    jti: str
    """Unique id of this message: a retry or redirection gets a new one, a redelivery keeps it."""
    aud: Audience
    ct: str
    """Content type of the body."""
    ce: str
    """Content encoding (character set) of the body."""
    cmp: str | None = None
    """Compression of the body, undone after verification."""
    hdr: Mapping[str, Any]
    """Celery's headers, as published."""
    props: Mapping[str, Any]
    """Properties of the message that a worker acts on: correlation_id, reply_to, priority."""

    @property
    def entry(self) -> str:
        """What the ledger knows the message by. An id is its key's own: who reads it on the broker, and signs another
        message with it, uses up nobody else's.
        """
        return hashlib.sha256(f"{self.kid} {self.jti}".encode()).hexdigest()

    def to_bytes(self) -> bytes:
        """The bytes that are signed and sent (E2.1).

        Raises:
            TypeError, ValueError: a header that JSON cannot represent.
        """
        return encode_json(
            {
                "v": self.v, "typ": self.typ, "kid": self.kid, "iat": self.iat, "exp": self.exp, "jti": self.jti,
                "aud": self.aud.as_json(), "ct": self.ct, "ce": self.ce, "cmp": self.cmp, "hdr": self.hdr,
                "props": self.props,
            }
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, data: bytes) -> Claims:
        """Read claims, strictly: exactly these members, each of its type (E2.2). Says nothing about their truth.

        Raises:
            Malformed: anything else.
        """
        return cls.from_json(decode_json(data))

    @classmethod
    def from_json(cls, value: object) -> Claims:
        """As :meth:`from_bytes`, of JSON that :func:`decode_json` has read."""
        if not isinstance(value, dict):
            raise Malformed("claims are not an object")
        if value.keys() != _MEMBERS.keys():
            raise Malformed("claims have missing or unknown members")
        for name, kind in _MEMBERS.items():
            if type(value[name]) not in kind:  # exact: a bool is no number
                raise Malformed(f"claim {name} has the wrong type")
        if value["typ"] not in TYPES or not value["kid"] or not _JTI.fullmatch(value["jti"]):
            raise Malformed("a claim has a value it cannot have")
        if not 0 <= value["iat"] < value["exp"] <= _MAX_INTEGER:
            raise Malformed("a claim has a value it cannot have")
        return cls(**{**value, "aud": Audience.from_json(value["aud"])})


_MEMBERS: dict[str, tuple[type, ...]] = {
    "v": (int,),
    "typ": (str,),
    "kid": (str,),
    "iat": (int,),
    "exp": (int,),
    "jti": (str,),
    "aud": (dict,),
    "ct": (str,),
    "ce": (str,),
    "cmp": (str, type(None)),
    "hdr": (dict,),
    "props": (dict,),
}
