"""The container of an encrypted body: bytes only, no keys (docs/spec/encryption-v1.md, sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from safecelery.message.claims import Claims
from safecelery.message.codec import Malformed

__all__ = [
    "ENCRYPTED",
    "MAX_BYTES",
    "MAX_RECIPIENTS",
    "Container",
    "Recipient",
    "content_context",
    "head_of",
    "is_encrypted",
    "parse_container",
    "wrap_context",
]

#: Content type and encoding of an encrypted body (N1.1).
ENCRYPTED = ("application/vnd.safecelery.encrypted", "binary")
#: Magic and version (N3.1). Text never begins so, and neither does anything compressed.
MAGIC = b"\x00safecelery-encrypted\x01"
#: Recipients of one message (N3.3): each costs the receiver bytes to look through.
MAX_RECIPIENTS = 16
#: Bytes of one container, whatever the caller allows (N3.5).
MAX_BYTES = 256 * 2**20
#: Bytes of an id and of a wrap (N3.2): two of them are written in one byte and in two.
_MAX_KID, _MAX_WRAP = 255, 4096
_NONCE_BYTES, _TAG_BYTES = 12, 16
_CONTENT, _WRAP = b"safecelery/encryption/v1", b"safecelery/encryption/v1/wrap"


def is_encrypted(claims: Claims) -> bool:
    """The claims say so (N1.1)."""
    return (claims.ct, claims.ce) == ENCRYPTED


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom the message is for, and the content key as only they can read it."""

    kid: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Container:
    """A parsed container. Nothing in it is to be believed."""

    recipients: tuple[Recipient, ...]
    head: bytes
    """All bytes before the nonce."""
    nonce: bytes
    ciphertext: bytes
    """With its tag."""


def head_of(recipients: Sequence[Recipient]) -> bytes:
    """Magic, number of recipients, and each of them (N3.1, N3.2).

    Raises:
        Malformed: none, too many, one twice, or an id or wrap that has no place.
    """
    if not 0 < len(recipients) <= MAX_RECIPIENTS or len({r.kid for r in recipients}) != len(recipients):
        raise Malformed(f"between 1 and {MAX_RECIPIENTS} different recipients")
    parts = [MAGIC, bytes([len(recipients)])]
    for recipient in recipients:
        kid = recipient.kid.encode("ascii")
        if not 0 < len(kid) <= _MAX_KID or not 0 < len(recipient.wrapped) <= _MAX_WRAP:
            raise Malformed("an id or a wrap that has no place")
        parts += [bytes([len(kid)]), kid, len(recipient.wrapped).to_bytes(2, "big"), recipient.wrapped]
    return b"".join(parts)


def parse_container(data: bytes) -> Container:
    """Read a container, strictly: exactly these parts, each of the length it states (N3.1 to N3.5).

    Raises:
        Malformed: anything else.
    """
    if len(data) > MAX_BYTES:
        raise Malformed("larger than any container may be")
    if not data.startswith(MAGIC):
        raise Malformed("not a container of this version")
    reader = _Reader(data, len(MAGIC))
    count = reader.number(1)
    if not 0 < count <= MAX_RECIPIENTS:
        raise Malformed(f"between 1 and {MAX_RECIPIENTS} recipients")
    recipients = tuple(_recipient(reader) for _ in range(count))
    if len({recipient.kid for recipient in recipients}) != count:
        raise Malformed("a recipient occurs twice")
    head = data[: reader.at]
    nonce, ciphertext = reader.take(_NONCE_BYTES), data[reader.at :]
    if len(ciphertext) < _TAG_BYTES:
        raise Malformed("cut short")
    return Container(recipients, head, nonce, ciphertext)


class _Reader:
    __slots__ = ("_data", "at")

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at

    def take(self, length: int) -> bytes:
        part = self._data[self.at : self.at + length]
        if len(part) != length:
            raise Malformed("cut short")
        self.at += length
        return part

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")


def _recipient(reader: _Reader) -> Recipient:
    kid = reader.take(reader.number(1))
    if not kid or not all(0x21 <= byte <= 0x7E for byte in kid):
        raise Malformed("an id that is no printable ASCII")
    length = reader.number(2)
    if not 0 < length <= _MAX_WRAP:
        raise Malformed("a wrap of a length that no scheme has")
    return Recipient(kid.decode("ascii"), reader.take(length))


def _bound(label: bytes, *parts: bytes) -> bytes:
    """``label SP LEN(part) SP part ...``, as the envelope's pae: no two lists have the same encoding."""
    return b" ".join([label, *(piece for part in parts for piece in (b"%d" % len(part), part))])


def content_context(head: bytes, *, typ: str, task: str, task_id: str) -> bytes:
    """What the ciphertext is bound to: domain, task, id and recipients (N4.2). Not the signer, so that an operator
    can sign a dead letter anew who cannot read it."""
    return _bound(_CONTENT, typ.encode(), task.encode(), task_id.encode(), head)


def wrap_context(*, scheme: str, kid: str, typ: str, task: str, task_id: str) -> bytes:
    """What a wrapped content key is bound to (N4.1)."""
    return _bound(_WRAP, scheme.encode(), kid.encode(), typ.encode(), task.encode(), task_id.encode())
