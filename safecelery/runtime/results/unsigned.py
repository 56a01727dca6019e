"""Report mode: the body of a result that nobody signed, as a plain worker stores it."""

from __future__ import annotations

from typing import Final

from celery.backends.base import COMPRESSED_PAYLOAD_MAGIC

from safecelery.errors import Reason, Rejected
from safecelery.message.inflate import inflate

__all__ = ["unsigned_body"]

_MAGIC: Final[bytes] = COMPRESSED_PAYLOAD_MAGIC


def unsigned_body(data: bytes, max_bytes: int) -> bytes:
    """Decompressed with a limit, where a plain worker compressed it (celery/backends/base.py, ``compress_payload``).

    Raises:
        Rejected: larger than ``max_bytes``, or compressed in a way that cannot be undone with a limit.
    """
    if data.startswith(_MAGIC):
        kind, end, body = data[len(_MAGIC) :].partition(b"\x00")
        if not end:
            raise Rejected(Reason.BODY_MALFORMED, "unsigned; the compressed result is cut short")
        data = inflate(body, kind.decode("ascii", "replace"), max_bytes)
    if len(data) > max_bytes:
        raise Rejected(Reason.TOO_LARGE, f"unsigned; {len(data)} bytes, allowed are {max_bytes}")
    return data
