"""Decompression with a limit. Runs only after the signature holds, and even then trusts nobody with memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping

from safecelery.errors import Reason, Rejected

__all__ = ["COMPRESSIONS", "inflate"]


def _zlib(data: bytes, most: int) -> bytes:
    return zlib.decompressobj().decompress(data, most)


def _bz2(data: bytes, most: int) -> bytes:
    return bz2.BZ2Decompressor().decompress(data, most)


def _lzma(data: bytes, most: int) -> bytes:
    return lzma.LZMADecompressor().decompress(data, most)


#: Names and MIME types of kombu's compressions (kombu/compression.py) that can be undone with a limit.
COMPRESSIONS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": _zlib,
    "zlib": _zlib,
    "application/x-gzip": _zlib,
    "bzip2": _bz2,
    "bzip": _bz2,
    "application/x-bz2": _bz2,
    "application/x-bzip2": _bz2,
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
    decompress = COMPRESSIONS.get(compression)
    if decompress is None:
        raise Rejected(Reason.CONTENT_DISALLOWED, "a compression that cannot be undone with a limit")
    try:
        plain = decompress(data, most + 1)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        raise Rejected(Reason.BODY_MALFORMED, "the compressed body cannot be decompressed") from None
    if len(plain) > most:
        raise Rejected(Reason.TOO_LARGE, f"the body decompresses to more than {most} bytes")
    return plain
