"""Laws of the text encodings."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safecelery.keys import base64url
from safecelery.message.claims import Audience, Claims
from safecelery.message.codec import Malformed, decode_json, encode_json, join, split
from safecelery.message.pae import pae

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=6)
NAMES = TEXT.filter(bool)
AUDIENCES = st.builds(Audience, queue=NAMES) | st.builds(Audience, exchange=NAMES, routing_key=TEXT)
TIMES = st.lists(st.integers(0, 2**53 - 1), min_size=2, max_size=2, unique=True).map(sorted)


@st.composite
def claims(draw: st.DrawFn) -> Claims:
    iat, exp = draw(TIMES)
    return Claims(
        typ=draw(st.sampled_from(["task", "result", "control", "event"])), kid=draw(NAMES), iat=iat, exp=exp,
        jti=draw(st.from_regex(r"[A-Za-z0-9_-]{16,64}", fullmatch=True)), aud=draw(AUDIENCES), ct=draw(TEXT),
        ce=draw(TEXT), cmp=draw(st.none() | TEXT), hdr=draw(OBJECTS), props=draw(OBJECTS),
    )  # fmt: skip


@given(claims())
def test_claims_are_read_as_they_were_written(value: Claims) -> None:
    assert Claims.from_bytes(value.to_bytes()) == value


@given(AUDIENCES)
def test_an_audience_is_read_as_it_was_written(value: Audience) -> None:
    assert Audience.from_json(value.as_json()) == value


def same(one: Any, other: Any) -> bool:
    """Equal with the types: ``1``, ``1.0`` and ``True`` are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and (not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other))


@given(JSON)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    assert same(decode_json(encode_json(value)), value)


ANYTHING = st.recursive(
    SCALARS | st.floats() | st.binary(max_size=5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(TEXT | st.integers(-9, 9) | st.booleans() | st.none() | st.floats(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(ANYTHING)
@example({1: "a", "1": "b"})
@example([{True: 1}])
def test_what_is_written_at_all_is_read_as_the_same(value: Any) -> None:
    """So nothing is signed that means something else, or nothing, to the receiver. A tuple is an array."""
    try:
        data = encode_json(value)
    except (TypeError, ValueError):
        return
    assert same(decode_json(data), _arrays(value))


def _arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _arrays(inner) for name, inner in value.items()}
    return [_arrays(inner) for inner in value] if isinstance(value, list | tuple) else value


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\u0daeE+-.1 \n', max_size=60).map(str.encode))
def test_bytes_are_strict_json_or_malformed(data: bytes) -> None:
    try:
        value = decode_json(data)
    except Malformed:
        return
    assert same(value, json.loads(data))
    assert same(decode_json(encode_json(value)), value)


@given(st.binary(max_size=300))
def test_bytes_have_one_base64url(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data


@given(st.text(alphabet="AQgwBz09-_+/= \n.", max_size=12) | st.text(max_size=12))
@example("Zh")
def test_text_is_the_base64url_of_its_bytes_or_refused(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_header_is_split_into_what_was_joined(data: bytes, signature: bytes) -> None:
    assert split(join(data, signature)) == (data, signature)


@given(st.text(alphabet="AQgw._-=", max_size=12) | st.text(max_size=12))
def test_a_header_is_the_one_spelling_of_its_parts_or_malformed(text: str) -> None:
    try:
        parts = split(text)
    except Malformed:
        return
    assert join(*parts) == text


TYPS = st.text(alphabet="abt 0123", max_size=5)
#: Bytes that look like the encoding's own parts.
PARTS = st.lists(st.sampled_from([b" ", b"0", b"1", b"2", b"4", b"{}", b"task", b"x"]), max_size=6).map(b"".join)
TRIPLES = st.tuples(TYPS, PARTS, PARTS)


@given(TRIPLES, TRIPLES)
def test_no_two_triples_have_the_same_encoding(one: tuple[str, bytes, bytes], other: tuple[str, bytes, bytes]) -> None:
    assert (pae(*one) == pae(*other)) is (one == other)


@given(TYPS, PARTS)
def test_where_claims_end_and_the_body_begins_is_signed(typ: str, data: bytes) -> None:
    assert len({pae(typ, data[:at], data[at:]) for at in range(len(data) + 1)}) == len(data) + 1


@pytest.mark.parametrize("levels", range(28, 37))
def test_depth_is_counted_as_it_is_nested(levels: int) -> None:
    text = b'{"a":[' * (levels // 2) + b"{}" * (levels % 2) + b"]}" * (levels // 2)
    if levels > 32:
        with pytest.raises(Malformed, match="deeply"):
            decode_json(text)
    else:
        assert decode_json(text)
