"""One spelling in, one value out."""

from __future__ import annotations

import enum
import json
import time
from types import MappingProxyType
from typing import Any

import pytest

from safecelery.message.codec import MAX_DEPTH, Malformed, decode_json, encode_json, join, split


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


class Colour(enum.StrEnum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


def test_a_value_is_two_parts_with_a_dot() -> None:
    assert join(b"{}", b"\xff") == "e30._w"
    assert split("e30._w") == (b"{}", b"\xff")
    assert split(".") == (b"", b"")


@pytest.mark.parametrize("value", ["", "e30", "e30.e30.e30", "e30..", "..", ".e30."])
def test_a_value_of_another_number_of_parts_is_refused(value: str) -> None:
    with pytest.raises(Malformed, match="not two parts"):
        split(value)


@pytest.mark.parametrize(
    "value", ["e30=.e30", "e30.e30=", "e31.e30", "e30.e31", " e30.e30", "e30.e30\n", "é.e30", "e.e30"]
)
def test_a_part_in_another_spelling_is_refused(value: str) -> None:
    with pytest.raises(Malformed, match="base64url"):
        split(value)


def test_json_is_written_without_spaces_and_escapes() -> None:
    assert encode_json({"ä": [1, None, True, 0.5, "𝄞"]}) == '{"ä":[1,null,true,0.5,"𝄞"]}'.encode()


def test_what_json_has_no_other_form_for_is_written_as_json_writes_it() -> None:
    assert encode_json({Colour.RED: (Colour.RED, Number.ONE)}) == b'{"red":["red",1]}'


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), float("inf"), -float("inf"), b"bytes", {1, 2}, object(), 1j, MappingProxyType({}), "\ud800",
        {"\udfff": 1}, {1: 2}, {None: 1}, {True: 1}, {1.5: 1}, {"a": {1: 2}}, {"a": [[{1: 2}]]}, {"a": ({2: 3},)},
        {1: "a", "1": "b"}, {b"a": 1}, {("a", "b"): 1}, [10**5000],
    ],
)  # fmt: skip
def test_what_cannot_be_read_again_as_it_was_is_not_written(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode_json(value)


def test_a_circle_is_not_written() -> None:
    circle: list[Any] = []
    circle.append({"a": circle})
    with pytest.raises(ValueError, match="Circular"):
        encode_json(circle)


def test_depth_has_the_same_limit_in_both_directions() -> None:
    assert decode_json(encode_json(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(Malformed, match="too deeply"):
        encode_json(nested(MAX_DEPTH + 1))
    with pytest.raises(Malformed, match="too deeply"):
        decode_json(json.dumps(nested(MAX_DEPTH + 1)).encode())


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(["[" * 100]), json.dumps({"{" * 50: '"' + "[" * 50}),
        json.dumps(["\\" * 3 + "[" * 50, '\\"' + "{" * 50]),
        json.dumps([[] for _ in range(50)]), json.dumps(["]" * 50 + "["]),
    ],
)  # fmt: skip
def test_brackets_in_strings_and_beside_each_other_are_no_depth(text: str) -> None:
    assert decode_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, '"\\' + '"[' * 5000, ("[" * 33).replace("[", '"["[', 1), '["]"' + ",[" * 40],
    ids=["arrays", "objects", "escapes", "strings", "more"],
)
def test_text_that_only_opens_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        decode_json(text.encode())


def test_a_megabyte_of_brackets_is_refused_quickly() -> None:
    started = time.process_time()
    for text in ("[" * 2**20, '"[' * 2**19, '"\\[' * 2**18, "[]" * 2**19):
        with pytest.raises(Malformed):
            decode_json(text.encode())
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        b"", b" ", b" {}", b"{} ", b"{}\n", b"\xef\xbb\xbf{}", b"{}{}", b"{}x", b"nul", b"{'a':1}", b'{"a":1,}',
        b"[1,]", b"01", b"+1", b".5", b"1.", b"0x10", b"1_000", b"NaN", b"Infinity", b"-Infinity", b'{"a":NaN}',
        b"1e999",
        b"[-1e999]", b'"\t"', b'"\\x41"', b'"\\ud800"', b'{"\\udc00":1}', b'"\\udc00\\ud800"', b'"\\ud800\\u0041"',
        b'"\xed\xa0\x80"', b'"\xff"', b'"\xc0\x80"', b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'[{"b":{"a":1,"a":2}}]',
        b"9" * 5000, b"-" + b"9" * 5000, b"/**/1",
    ],
)  # fmt: skip
def test_other_text_is_not_read(text: bytes) -> None:
    with pytest.raises(Malformed):
        decode_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"{}", {}), (b'{ "a" :\n[ 1 ] }', {"a": [1]}), (b'"\\ud834\\udd1e\\u0000\\/"', "𝄞\0/"),
        (b"-0", 0), (b"1E2", 100.0), (b"1e-999", 0.0), (b'{"a":1,"A":2}', {"a": 1, "A": 2}), (b"null", None),
    ],
)  # fmt: skip
def test_strict_json_is_read(text: bytes, value: Any) -> None:
    assert decode_json(text) == value


def test_what_is_wrong_is_told_without_quoting_it() -> None:
    for text in (b'{"secret":1,"secret":2}', b'["secret",]', b'"secret"secret', b'{"secret":Infinity}'):
        with pytest.raises(Malformed) as caught:
            decode_json(text)
        assert "secret" not in str(caught.value)


def test_whole_numbers_are_exact() -> None:
    for number in (2**53 + 1, -(2**64), 10**4000):
        assert decode_json(encode_json([number])) == [number]
