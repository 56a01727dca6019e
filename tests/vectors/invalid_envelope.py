"""Messages that are refused whatever the scheme: size, encoding, claims, domain, content, time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.vectors.builder import BODY, MOST, NOW, SKEW, Case, Family, claims, envelope, members, signed, written
from tests.vectors.invalid_signature import bad


def bad_sizes(family: Family) -> Iterator[Case]:
    """E4.1, E4.2"""
    web = family.key("web")
    header = signed(web, claims(web).to_bytes())
    yield bad("a body one byte too large", "E4.1", "too-large", header, most=len(BODY) - 1)
    yield bad("a header value one character too large", "E4.1", "too-large", header, most=len(header) - 1)
    yield bad("too large and unsigned", "E4.1", "too-large", None, headers={}, most=len(BODY) - 1)
    for comment, headers in (
        ("no header at all", {}),
        ("the header's name in another case", {"Safecelery": header}),
        ("the header is null", {"safecelery": None}),
    ):
        yield bad(comment, "E1.1 E4.2", "envelope-missing", None, headers=headers)
    for value in (0, True, 1.5, [header], {"safecelery": header}):
        yield bad(f"the header is {type(value).__name__}, not text", "E4.2", "envelope-malformed", value)


def bad_encodings(family: Family) -> Iterator[Case]:
    """E1.2, E1.3"""
    web = family.key("web")
    data = claims(web).to_bytes()
    while len(data) % 3 != 1:  # so that two characters stand for the last byte, and four bits for nothing
        data = data[:-1] + b" }"
    good = signed(web, data)
    head, _, tail = good.partition(".")
    other = head[:-1] + chr(ord(head[-1]) + 1)
    for comment, value in (
        ("empty", ""),
        ("one part", head),
        ("three parts", f"{good}.{tail}"),
        ("a dot too many", f"{good}."),
        ("padding after the claims", f"{head}==.{tail}"),
        ("padding after the signature", f"{good}="),
        ("bits that stand for nothing", f"{other}.{tail}"),
        ("4n+1 characters", f"{head}AAA.{tail}"),
        ("a space before", f" {good}"),
        ("a line's end after", f"{good}\n"),
        ("a line's end inside", f"{head[:40]}\n{head[40:]}.{tail}"),
        ("the standard alphabet", f"{head[:-2]}+/.{tail}"),
        ("a NUL after", f"{good}\0"),
        ("a letter that looks like another", good.replace("A", "А", 1)),  # noqa: RUF001  # Cyrillic
        ("half a surrogate pair", f"{good}\ud800"),
    ):
        yield bad(comment, "E1.2 E1.3 E4.3", "envelope-malformed", value)
    yield bad("empty claims", "E2.1 E4.4", "envelope-malformed", f".{tail}")


def bad_json(family: Family) -> Iterator[Case]:
    """E2.3, E2.4: with a signature that holds."""
    web = family.key("web")
    data = claims(web).to_bytes()
    for comment, changed in (
        ("not JSON", b"not JSON"),
        ("a byte order mark", b"\xef\xbb\xbf" + data),
        ("a space before", b" " + data),
        ("a line's end after", data + b"\n"),
        ("a second value", data + data),
        ("not UTF-8", data.replace(b"shop", b"\xff\xfe")),
        ("UTF-8 that is longer than it must be", data.replace(b"shop", b"\xc1\xb3hop")),
        ("a surrogate in UTF-8", data.replace(b"shop", b"\xed\xa0\x80")),
        ("half a surrogate pair, escaped", data.replace(b"shop", b"\\ud800")),
        ("a control character in a string", data.replace(b"shop", b"sh\top")),
        ("a comment", data[:-1] + b"/**/}"),
        ("a comma too many", data[:-1] + b",}"),
        ("single quotes", data.replace(b'"', b"'")),
        ("a member twice", data[:-1] + b',"exp":9007199254740991}'),
        ("a member twice with the same value", data[:-1] + b',"v":1}'),
        ("a member twice, once escaped", data[:-1] + b',"\\u0065xp":9007199254740991}'),
        ("a member of hdr twice", data.replace(b'"retries":0', b'"retries":0,"retries":-50')),
        ("NaN", data.replace(b'"retries":0', b'"retries":NaN')),
        ("Infinity", data.replace(b'"retries":0', b'"retries":Infinity')),
        ("-Infinity", data.replace(b'"retries":0', b'"retries":-Infinity')),
        ("a number beyond binary64", data.replace(b'"retries":0', b'"retries":1e999')),
        ("a whole number of 5000 digits", data.replace(b'"retries":0', b'"retries":' + b"9" * 5000)),
        ("a number with a zero before", data.replace(b'"retries":0', b'"retries":01')),
        ("nested 33 deep", data.replace(b'"retries":0', b'"retries":' + b"[" * 31 + b"]" * 31)),
        ("nested 2000 deep", data.replace(b'"retries":0', b'"retries":' + b"[" * 2000 + b"]" * 2000)),
        ("2000 brackets that open only", b"[" * 2000),
    ):
        yield bad(comment, "E2.3 E2.4 E4.4", "envelope-malformed", signed(web, changed))
    for value in ([], "claims", 1, None, True):
        yield bad(f"claims are {type(value).__name__}", "E2.2 E4.4", "claims-malformed", signed(web, written(value)))


def bad_claims(family: Family) -> Iterator[Case]:
    """E2.2, E2.5, E2.6, E4.8 to E4.10: with a signature that holds."""
    web = family.key("web")

    def case(comment: str, flags: str, reason: str, *, without: str = "", **changes: Any) -> Case:
        value = {name: inner for name, inner in members(web, **changes).items() if name != without}
        typ = value.get("typ")
        return bad(comment, flags, reason, signed(web, written(value), typ=typ if isinstance(typ, str) else "task"))

    for version in (0, 2, -1, 1.0, "1", True, None, [1]):
        yield case(f"version {version!r}", "E4.4 E9", "version-unsupported", v=version)
    yield case("no version", "E4.4", "version-unsupported", without="v")
    for name, wrong in (("kid", 1), ("kid", None), ("kid", ["web"]), ("typ", 1), ("typ", None)):
        yield case(f"{name} is {wrong!r}", "E4.4", "claims-malformed", **{name: wrong})
    yield bad("typ beyond ASCII", "E4.4", "claims-malformed", envelope(written(members(web, typ="täsk")), bytes(64)))
    for name in members(web):
        if name != "v":
            yield case(f"no {name}", "E2.2 E4.7", "claims-malformed", without=name)
    yield case("an unknown member", "E2.2 E4.7", "claims-malformed", alg="none")
    yield from (case(f"{name} is {wrong!r}", "E2.2 E4.7", "claims-malformed", **{name: wrong}) for name, wrong in WRONG)
    yield from (case(f"aud is {wrong!r}", "E2.5 E4.7", "claims-malformed", aud=wrong) for wrong in NO_AUDIENCE)
    yield case("signed as a result, used as a task", "E4.8", "type-mismatch", typ="result")
    yield case("signed as control, used as a task", "E4.8", "type-mismatch", typ="control")
    for member, wrong in NO_CONTENT:
        yield case(f"{member} is {wrong!r}", "E2.6 E4.9", "content-disallowed", **{member: wrong})
    yield case("signed later than the skew allows", "E4.10", "not-yet-valid", iat=NOW + SKEW + 1, exp=NOW + SKEW + 9)
    yield case("expires this very second", "E4.10", "stale", iat=NOW - 600, exp=NOW)
    yield case("expired long ago", "E4.10", "stale", iat=1, exp=2)
    header = signed(web, claims(web).to_bytes())
    yield bad("good, but the clock went on", "E4.10", "stale", header, now=NOW + 600, most=MOST)


WRONG: tuple[tuple[str, Any], ...] = (
    ("typ", "job"), ("typ", ""), ("typ", "TASK"),
    ("iat", True), ("iat", 1.5), ("iat", "1"), ("iat", None), ("iat", -1), ("iat", float(NOW)),
    ("exp", True), ("exp", None), ("exp", str(NOW)), ("exp", NOW), ("exp", NOW - 1), ("exp", 2**53),
    ("jti", 1), ("jti", None), ("jti", ""), ("jti", "short"), ("jti", "a" * 65), ("jti", "a" * 31 + "\n"),
    ("jti", "a" * 31 + ":"),
    ("ct", None), ("ct", 1), ("ce", None), ("ce", []), ("cmp", False), ("cmp", 0), ("cmp", {}),
    ("hdr", None), ("hdr", []), ("hdr", "task"), ("props", None), ("props", []), ("props", 1),
)  # fmt: skip
NO_AUDIENCE: tuple[Any, ...] = (
    None, "orders", ["orders"], {}, {"queue": ""}, {"queue": None}, {"queue": 1}, {"queue": ["orders"]},
    {"queue": "orders", "exchange": "shop", "routing_key": "orders"}, {"queue": "orders", "routing_key": "orders"},
    {"exchange": "shop"}, {"routing_key": "orders"}, {"exchange": "", "routing_key": "orders"},
    {"exchange": None, "routing_key": "orders"}, {"exchange": "shop", "routing_key": None},
    {"queue": "orders", "exchange": None, "routing_key": None}, {"Queue": "orders"},
)  # fmt: skip
NO_CONTENT: tuple[tuple[str, str], ...] = (
    ("ct", "application/x-python-serialize"), ("ct", "application/x-yaml"), ("ct", "application/data"), ("ct", ""),
    ("ct", "application/json; charset=utf-8"), ("ct", "Application/JSON"), ("ct", "json"),
    ("ce", "UTF-8"), ("ce", "utf8"), ("ce", "binary"), ("ce", "utf-16"), ("ce", ""),
)  # fmt: skip
