"""The bytes that are signed: a pre-authentication encoding in the manner of DSSE."""

from __future__ import annotations

__all__ = ["CONTEXT", "pae"]

#: Names the protocol and its version, so that a signature made here means nothing elsewhere (E3.2).
CONTEXT = b"safecelery/envelope/v1"


def pae(typ: str, claims: bytes, body: bytes) -> bytes:
    """``CONTEXT SP LEN(typ) SP typ SP LEN(claims) SP claims SP LEN(body) SP body`` (E3.1).

    Lengths are decimal, in bytes. No two triples have the same encoding: every part stands behind its length
    (DSSE protocol, "PAE").
    """
    kind = typ.encode("ascii")
    return b"%b %d %b %d %b %d %b" % (CONTEXT, len(kind), kind, len(claims), claims, len(body), body)
