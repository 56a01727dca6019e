"""Strict text encodings: one spelling of every value is accepted, and nothing is parsed before its size is known."""

from __future__ import annotations

import json
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


def encode_json(value: Any) -> bytes:
    """JSON as the sealer writes it; nobody ever writes it again (E2.1).

    Raises:
        TypeError, ValueError: not representable (NaN, other types, lone surrogates).
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Malformed("a member occurs twice")
    return result


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant)


def decode_json(data: bytes) -> Any:
    """The value of UTF-8 JSON without duplicate members, NaN or infinity, no deeper than ``MAX_DEPTH`` (E2.3, E2.4).

    Raises:
        Malformed: anything else.
    """
    try:
        text = data.decode("utf-8")
        if _deepest(text) > MAX_DEPTH:
            raise Malformed("nested too deeply")
        value, end = _DECODER.raw_decode(text)
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
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "}]":
            depth -= 1
    return deepest
