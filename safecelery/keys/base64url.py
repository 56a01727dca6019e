"""Base64url without padding, in its one canonical spelling: RFC 4648, sections 3.5 and 5."""

from __future__ import annotations

import binascii

__all__ = ["decode", "encode"]

_FROM_STANDARD = bytes.maketrans(b"+/", b"-_")
#: What only the standard alphabet and padding have becomes a character that is in neither.
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")


def encode(data: bytes) -> str:
    """The text of ``data``."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_FROM_STANDARD).decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of canonical text.

    Raises:
        ValueError: another alphabet, padding, whitespace, or trailing bits that are not zero.
    """
    try:
        standard = text.encode("ascii").translate(_TO_STANDARD) + b"=" * (-len(text) % 4)
        data = binascii.a2b_base64(standard, strict_mode=True)
    except ValueError:
        raise ValueError("not base64url") from None
    rest = len(text) % 4  # characters of a last group that is not whole; only there can bits be left over
    if rest and encode(data[1 - rest :]) != text[-rest:]:
        raise ValueError("not canonical base64url")
    return data
