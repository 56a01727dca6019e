"""Strict text encodings: one spelling of every value is accepted, and nothing is parsed before its size is known."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from safecelery.keys import base64url

__all__ = ["MAX_DEPTH", "Malformed", "decode_json", "encode_json", "join", "split"]

#: Deepest nesting of objects and arrays in the claims (E2.4).
MAX_DEPTH = 32


class Malformed(ValueError):
    """Text that is not the one spelling of what it says."""


def join(claims: bytes, signature: bytes) -> str:
    """The header's value (E1.2)."""
    return f"{base64url.encode(claims)}.{base64url.encode(signature)}"


def split(value: str) -> tuple[bytes, bytes]:
    """Claims and signature of a header's value, canonical base64url both (E1.3).

    Raises:
        Malformed: not two parts, or a part that is not canonical.
    """
    claims, dot, signature = value.partition(".")
    if not dot or "." in signature:
        raise Malformed("not two parts")
    try:
        return base64url.decode(claims), base64url.decode(signature)
    except ValueError as error:
        raise Malformed(str(error)) from None


#: Types of Python's that hold no others in JSON.
_SCALARS = frozenset({str, int, float, bool, type(None)})
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode_json(value: Any) -> bytes:
    """JSON as the sealer writes it; nobody ever writes it again (E2.1). What is written here, ``decode_json`` reads.

    Raises:
        TypeError, ValueError: not representable (NaN, other types, member names that are no text, lone surrogates), or
            nested deeper than ``MAX_DEPTH``.
    """
    text = _ENCODER.encode(value)
    if _deepest(text) > MAX_DEPTH:
        raise Malformed("nested too deeply")
    _only_text_names(value)
    return text.encode("utf-8")


def _only_text_names(value: Any) -> None:
    """Python would write the name ``1`` as ``"1"``: beside a real ``"1"`` that is a member twice."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if type(name) is not str and not isinstance(name, str):
                raise TypeError("a member's name is not text")
            if type(inner) not in _SCALARS:
                _only_text_names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            if type(inner) not in _SCALARS:
                _only_text_names(inner)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Malformed("a member occurs twice")
    return result


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # 1e999
        raise Malformed("a number is too large")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite)
#: A string, or a bracket outside strings.
_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


def decode_json(data: bytes) -> Any:
    """The value of UTF-8 JSON, no deeper than ``MAX_DEPTH`` (E2.4), without duplicate members, numbers that are none or
    too large, or surrogates that are not a pair (E2.3).

    Raises:
        Malformed: anything else.
    """
    try:
        text = data.decode("utf-8")
        if _deepest(text) > MAX_DEPTH:
            raise Malformed("nested too deeply")
        value, end = _DECODER.raw_decode(text)
        if "\\u" in text:  # only so can text hold half a pair
            _ENCODER.encode(value).encode("utf-8")
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if end != len(text):
        raise Malformed("text after the JSON value")
    return value


def _deepest(text: str) -> int:
    """How deeply objects and arrays nest; 0 without looking where there are too few brackets to matter."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for token in _BRACKETS.findall(text):
        if token in ("{", "["):
            depth += 1
            deepest = max(deepest, depth)
        elif token in ("}", "]"):
            depth -= 1
    return deepest
