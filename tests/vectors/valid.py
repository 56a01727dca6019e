"""Messages that verify, one for each freedom a sealer has."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from safecelery.message.claims import Audience
from tests.vectors.builder import BODY, JTI, NOW, SKEW, Case, Family, claims, members, signed, written

#: zlib.compress(BODY): written down, because other versions of zlib compress otherwise.
ZLIB = base64.b64decode("eNqLjjbSMY7Vqa7VqVZKTszJSUpMzi5WssorzcnRUUotKkLhJ2ckZuYhOPlFKRBObSwAZUQYsg==")


def valid(family: Family) -> Iterator[Case]:
    """For any scheme."""
    web = family.key("web")

    def good(comment: str, flags: str, **changes: object) -> Case:
        return Case(comment=comment, flags=flags, header=signed(web, claims(web, **changes).to_bytes()))

    yield good("published to a queue", "E2.5")
    yield good("to an exchange", "E2.5", aud=Audience(exchange="shop", routing_key="orders.eu"))
    yield good("to a fanout exchange, without routing key", "E2.5", aud=Audience(exchange="all", routing_key=""))
    yield good("due later, on a quorum queue", "E2.5", aud=Audience(exchange="celery_delayed_27", routing_key="orders"))
    yield good("names in other scripts", "E2.1", hdr={"task": "läden.добавить", "id": "t-1", "note": "𝄞 \u0000 \u007f"})
    yield good(
        "numbers that a binary64 does not tell apart", "E2.3", hdr={"task": "a", "id": "b", "n": 2**53 + 1, "x": 0.1}
    )
    yield good("signed as far ahead as clocks may differ", "E4.10", iat=NOW + SKEW, exp=NOW + SKEW + 1)
    yield good("valid for one second more", "E4.10", iat=NOW - 600, exp=NOW + 1)
    yield good("the longest lifetime", "E2.2", exp=2**53 - 1)
    yield good("nested 32 deep", "E2.4", hdr={"task": "a", "id": "b", "deep": _nested(30)})
    compressed = claims(web, cmp="application/x-gzip").to_bytes()
    yield Case(comment="compressed", flags="E5.3", header=signed(web, compressed, ZLIB), body=ZLIB, plain=BODY)
    yield Case(
        comment="an empty body is signed too", flags="E3.1", body=b"", header=signed(web, claims(web).to_bytes(), b"")
    )
    other = b'{"props": {}, "hdr":{"task":"shop.\\u0061dd","id":"t-1"} ,"cmp":null,"ce":"utf-8",'
    other += b'"ct":"application/json","aud":{"queue":"orders"},"jti":"%s","exp":%d,"iat":%d,\n\t' % (
        JTI.encode(), NOW + 9, NOW,
    )  # fmt: skip
    other += b'"kid":"%s","typ":"task","v":1}' % web.kid.encode()
    yield Case(comment="another writer's order, spaces and escapes", flags="E2.1", header=signed(web, other))
    yield Case(
        comment="a result, where results are read", flags="E4.8", expect="result",
        header=signed(web, claims(web, typ="result").to_bytes(), typ="result"),
    )  # fmt: skip
    soon = family.key("soon")
    yield Case(
        comment="a key that begins when the skew allows", flags="E4.5", header=signed(soon, claims(soon).to_bytes())
    )
    yield Case(
        comment="the outer headers say something else and are not looked at", flags="E5.1",
        header=signed(web, written(members(web))),
        headers={"task": "shop.evil", "compression": "gzip", "safecelery": signed(web, written(members(web)))},
    )  # fmt: skip


def _nested(levels: int) -> object:
    value: object = []
    for _ in range(levels - 1):
        value = [value]
    return value
