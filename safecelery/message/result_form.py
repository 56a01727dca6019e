"""How body and envelope of a result become one stored value, and two again (E12.3, E12.4).

The first form is JSON that a plain Celery process reads as ever, and so it is the one of whatever is neither
compressed nor encrypted. Taking a value apart looks at its first and last bytes only: nothing is parsed.
"""

from __future__ import annotations

import re
from typing import Final

from safecelery.errors import Reason, Rejected, SealError

__all__ = ["LARGEST_ENVELOPE", "join_stored", "largest_stored", "take_apart"]

#: Characters of a result's envelope, at most: names and ids in it are bounded (E12.3).
LARGEST_ENVELOPE: Final = 16_384
_CONTAINER: Final = b"\x00safecelery\x00"
_MEMBER: Final = b', "safecelery": "'
_MEMBER_END: Final = b'"}'
#: The first item of a chord's part is a version that no reader of Celery's looks at (celery/backends/redis.py).
_PART: Final = b"[1, "
_SIGNED_PART: Final = re.compile(rb'\["([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", ')


def join_stored(body: bytes, envelope: str, *, container: bool) -> bytes:
    """The value to be stored.

    Args:
        container: the body is no JSON text, being compressed or encrypted.

    Raises:
        SealError: JSON that is neither an object nor a chord's part as Celery writes it, or an envelope too large.
    """
    seal = envelope.encode("ascii")
    if len(seal) > LARGEST_ENVELOPE:
        raise SealError(f"the seal of a result has {len(seal)} characters; nothing was stored")
    if container:
        return b"%b%b\x00%b" % (_CONTAINER, seal, body)
    if body.startswith(_PART):
        return b'["%b", %b' % (seal, body[len(_PART) :])
    if body.startswith(b"{") and body.endswith(b"}") and body != b"{}":
        return b"%b%b%b%b" % (body[:-1], _MEMBER, seal, _MEMBER_END)
    raise SealError("a result is not stored as a JSON object; result_serializer must be json. Nothing was stored")


def largest_stored(max_bytes: int) -> int:
    """Bytes of body and envelope together, at most, where the body may have ``max_bytes``."""
    return max_bytes + LARGEST_ENVELOPE + 64


def take_apart(data: bytes, max_bytes: int) -> tuple[bytes, str | None]:
    """Body and envelope of a stored value; ``None`` where nobody signed it.

    Args:
        max_bytes: of the body.

    Raises:
        Rejected: larger than body and envelope may be together, or a container that is none.
    """
    if len(data) > largest_stored(max_bytes):
        raise Rejected(Reason.TOO_LARGE, f"the stored value has {len(data)} bytes, allowed are {max_bytes}")
    if data.startswith(_CONTAINER):
        envelope, end, body = data[len(_CONTAINER) :].partition(b"\x00")
        if not end:
            raise Rejected(Reason.ENVELOPE_MALFORMED, "a container without an end of its envelope")
        return body, _text(envelope)
    if (part := _SIGNED_PART.match(data)) is not None:
        return _PART + data[part.end() :], _text(part[1])
    if data.endswith(_MEMBER_END) and (at := data.rfind(_MEMBER)) > 0:
        return data[:at] + b"}", _text(data[at + len(_MEMBER) : -len(_MEMBER_END)])
    return data, None


def _text(envelope: bytes) -> str:
    try:
        return envelope.decode("ascii")
    except ValueError:
        raise Rejected(Reason.ENVELOPE_MALFORMED, "the envelope is not ASCII") from None
