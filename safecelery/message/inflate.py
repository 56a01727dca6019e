"""Decompression with a limit. Runs only after the signature holds, and even then trusts nobody with memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

from safecelery.errors import Reason, Rejected

__all__ = ["COMPRESSIONS", "inflate"]


#: Bytes that a decoder of LZMA may take for itself: a header may ask for 4 GiB. The highest preset needs 65 MiB.
_LZMA_MEMORY = 80 * 2**20


class _Decompressor(Protocol):
    """What the three of the standard library have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _lzma() -> _Decompressor:
    return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)


#: Names and MIME types of kombu's compressions (kombu/compression.py) that can be undone with a limit.
COMPRESSIONS: Mapping[str, Callable[[], _Decompressor]] = {
    "gzip": zlib.decompressobj,
    "zlib": zlib.decompressobj,
    "application/x-gzip": zlib.decompressobj,
    "bzip2": bz2.BZ2Decompressor,
    "bzip": bz2.BZ2Decompressor,
    "application/x-bz2": bz2.BZ2Decompressor,
    "application/x-bzip2": bz2.BZ2Decompressor,
    "lzma": _lzma,
    "xz": _lzma,
    "application/x-lzma": _lzma,
}


def inflate(data: bytes, compression: str | None, most: int) -> bytes:
    """The decompressed bytes, at most ``most`` of them.

    Raises:
        Rejected: unknown compression, broken data, or more than ``most`` bytes.
    """
    if compression is None:
        return data
    make = COMPRESSIONS.get(compression)
    if make is None:
        raise Rejected(Reason.CONTENT_DISALLOWED, "a compression that cannot be undone with a limit")
    try:
        decompressor = make()
        plain = decompressor.decompress(data, most + 1)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        raise Rejected(Reason.BODY_MALFORMED, "the compressed body cannot be decompressed") from None
    if len(plain) > most:
        raise Rejected(Reason.TOO_LARGE, f"the body decompresses to more than {most} bytes")
    if not decompressor.eof or decompressor.unused_data:
        raise Rejected(Reason.BODY_MALFORMED, "the compressed body is cut short, or something follows it")
    return plain
