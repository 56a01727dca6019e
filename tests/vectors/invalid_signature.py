"""Messages whose key or signature is not good: the same for every scheme, and what is particular to one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from safecelery.keys import base64url
from safecelery.keys.schemes import SCHEMES
from safecelery.message.pae import pae
from tests.vectors.builder import BODY, OTHER_BODY, Case, Family, Key, claims, envelope, members, signed, written

#: Order of the base point: RFC 8032, section 5.1.
ORDER = 2**252 + 27742317777372353535851937790883648493


def bad(comment: str, flags: str, reason: str, header: Any, **more: Any) -> Case:
    return Case(comment=comment, flags=flags, reason=reason, header=header, **more)


def bad_keys(family: Family) -> Iterator[Case]:
    """Keys that are unknown, or not valid now."""
    for owner, reason, comment in (
        ("revoked", "key-revoked", "a revoked key"),
        ("expired", "key-expired", "a key that expires this very second"),
        ("future", "key-expired", "a key that begins later than the skew allows"),
        ("stranger", "key-unknown", "a key that is not in the trust store"),
    ):
        key = family.key(owner)
        yield bad(comment, "E4.5", reason, signed(key, claims(key).to_bytes()))
    web = family.key("web")
    for comment, kid in (
        ("a key id in capitals", web.kid.upper()),
        ("a key id with a space after it", web.kid + " "),
        ("a key id with a NUL after it", web.kid + "\0"),
        ("the owner alone for a key id", web.owner),
        ("an empty key id", ""),
    ):
        yield bad(comment, "E4.5 E6.2", "key-unknown", signed(web, written(members(web, kid=kid))))


def bad_signatures(family: Family) -> Iterator[Case]:
    """Signatures that do not hold."""
    web, batch = family.key("web"), family.key("batch")
    data = claims(web).to_bytes()
    good = web.sign(pae("task", data, BODY))
    for comment, signature in (
        ("signed by another trusted key", batch.sign(pae("task", data, BODY))),
        ("signed by a stranger", family.key("stranger").sign(pae("task", data, BODY))),
        ("no signature", b""),
        ("the last byte missing", good[:-1]),
        ("half of the signature", good[: len(good) // 2]),
        ("a byte too many", good + b"\0"),
        ("all zero", bytes(len(good))),
        ("the first bit changed", bytes([good[0] ^ 0x80]) + good[1:]),
        ("the last bit changed", good[:-1] + bytes([good[-1] ^ 1])),
        ("over claims and body without encoding", web.sign(data + BODY)),
        ("over the claims only", web.sign(pae("task", data, b""))),
        ("in the context of another version", web.sign(pae("task", data, BODY).replace(b"/v1", b"/v2"))),
        ("in another domain", web.sign(pae("result", data, BODY))),
        ("over the base64url of the claims", web.sign(pae("task", base64url.encode(data).encode(), BODY))),
    ):
        yield bad(comment, "E3.1 E3.2 E4.6", "signature-invalid", envelope(data, signature))
    yield from _moved(web, batch)


def _moved(web: Key, batch: Key) -> Iterator[Case]:
    data = claims(web).to_bytes()
    good = web.sign(pae("task", data, BODY))
    header = envelope(data, good)
    for comment, body in (
        ("another body", OTHER_BODY),
        ("a space after the body", BODY + b" "),
        ("the body's last byte missing", BODY[:-1]),
        ("no body", b""),
    ):
        yield bad(comment, "E3.1", "signature-invalid", header, body=body)
    second = claims(web, jti="f" * 32).to_bytes()
    moved = envelope(second, web.sign(pae("task", second, OTHER_BODY)))
    yield bad("claims of one message, body of another", "E3.1", "signature-invalid", moved)
    yield bad("a space between claims and body moved over", "E3.1", "signature-invalid",
              envelope(data, web.sign(pae("task", data + b" ", BODY))), body=b" " + BODY)  # fmt: skip
    for comment, changes in (
        ("the task exchanged", {"hdr": {"task": "shop.evil", "id": "t-1", "retries": 0}}),
        ("the queue exchanged", {"aud": {"queue": "vip"}}),
        ("the expiry moved", {"exp": 2**53 - 1}),
        ("the domain exchanged", {"typ": "result"}),
        ("the key id exchanged for another trusted one", {"kid": batch.kid}),
    ):
        changed = written(members(web, **changes))
        yield bad(comment, "E2.1 E4.6", "signature-invalid", envelope(changed, good))
    spaced = data.replace(b'":', b'": ')
    yield bad("the same claims, written anew", "E2.1", "signature-invalid", envelope(spaced, good))


def only_ed25519(family: Family) -> Iterator[Case]:
    """RFC 8032, 5.1.7; and the confusion of a public key with a secret."""
    web = family.key("web")
    data = claims(web).to_bytes()
    good = web.sign(pae("task", data, BODY))
    point, scalar = good[:32], int.from_bytes(good[32:], "little")
    one, zero = (1).to_bytes(32, "little"), bytes(32)
    for comment, signature in (
        ("S and the order of the group: malleable", point + (scalar + ORDER).to_bytes(32, "little")),
        ("S is the order of the group", point + ORDER.to_bytes(32, "little")),
        ("S is zero, R the neutral element", one + zero),
        ("S is zero, R a point of order 4", zero + zero),
        ("S is zero", point + zero),
        ("R is no point", b"\xff" * 32 + good[32:]),
        ("R in a spelling that is not canonical", (2**255 - 19 + 1).to_bytes(32, "little") + zero),
    ):
        yield bad(comment, "E4.6", "signature-invalid", envelope(data, signature))
    public = SCHEMES["ed25519"].public(web.secret)
    tag = SCHEMES["hmac-sha256"].signer(public).sign(pae("task", data, BODY))
    for comment, signature in (
        ("an HMAC under the public key", tag),
        ("an HMAC under the public key, twice", tag + tag),
    ):
        yield bad(comment, "E2.2 E6.1", "signature-invalid", envelope(data, signature))


def only_hmac(family: Family) -> Iterator[Case]:
    """RFC 2104, section 5 would allow truncation; version 1 does not."""
    web = family.key("web")
    data = claims(web).to_bytes()
    tag = web.sign(pae("task", data, BODY))
    fingerprint = SCHEMES["hmac-sha256"].public(web.secret)
    forged = SCHEMES["hmac-sha256"].signer(fingerprint).sign(pae("task", data, BODY))
    for comment, signature in (
        ("the tag cut to 16 bytes", tag[:16]),
        ("the tag cut to one byte", tag[:1]),
        ("the tag in hexadecimal", tag.hex().encode()),
        ("a tag under the fingerprint", forged),
        ("the tag twice", tag + tag),
    ):
        yield bad(comment, "E4.6", "signature-invalid", envelope(data, signature))
