"""An unsigned message in report mode is as tame as a signed one, or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.message.codec import MAX_DEPTH, decode_json, encode_json
from safecelery.message.stages import RawMessage, UnverifiedButReported
from safecelery.message.unsigned import BROKER_HEADERS, take_unsigned

NOW = 1_800_000_000.0
MOST = 1_000
BODY = b"[[], {}, {}]"


def raw(body: bytes = BODY, ct: Any = "application/json", ce: Any = "utf-8", **headers: Any) -> RawMessage:
    properties = {"correlation_id": "1", "delivery_mode": 2, "priority": None, "delivery_tag": object()}
    return RawMessage(body, {"task": "t", "id": "1", **headers}, properties, ct, ce, "orders")


def take(message: RawMessage) -> UnverifiedButReported:
    return take_unsigned(message, now=NOW, max_bytes=MOST)


def refusal(message: RawMessage) -> Reason:
    with pytest.raises(Rejected) as caught:
        take(message)
    return caught.value.reason


def test_it_keeps_what_a_sender_may_sign_and_nothing_else() -> None:
    left_behind = dict.fromkeys(BROKER_HEADERS, datetime.now(UTC))
    taken = take(raw(tenant="a", compression="gzip", safecelery=None, **left_behind))
    assert dict(taken.claims.hdr) == {"task": "t", "id": "1", "tenant": "a"}
    assert dict(taken.claims.props) == {"correlation_id": "1"}
    assert (taken.claims.cmp, taken.claims.aud.queue, taken.claims.kid) == ("gzip", "orders", "")
    assert (taken.body, taken.queue) == (BODY, "orders")


def test_every_delivery_has_an_id_of_its_own() -> None:
    assert take(raw()).claims.jti != take(raw()).claims.jti


@pytest.mark.parametrize("envelope", ["", "x", "a.b", [], {}, 0, False])
def test_what_has_any_envelope_is_never_taken_for_unsigned(envelope: Any) -> None:
    assert refusal(raw(safecelery=envelope)) is Reason.INTERNAL


@pytest.mark.parametrize(
    ("ct", "ce"),
    [
        ("application/x-python-serialize", "binary"), ("application/x-yaml", "utf-8"), ("application/json", "utf-16"),
        ("application/json", None), (None, None), (None, "utf-8"), ("application/JSON", "utf-8"), ({}, []), (1, 2),
    ],
)  # fmt: skip
def test_only_json_in_utf_8_by_its_own_word(ct: Any, ce: Any) -> None:
    assert refusal(raw(ct=ct, ce=ce)) is Reason.CONTENT_DISALLOWED


def test_sizes_are_bounded() -> None:
    assert refusal(raw(b"x" * (MOST + 1))) is Reason.TOO_LARGE
    assert refusal(raw(x="y" * MOST)) is Reason.TOO_LARGE


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        b"bytes", datetime.now(UTC), Decimal(1), float("nan"), float("inf"), "\ud800", {1: 2}, {"a": {None: 1}},
        object(), nested(MAX_DEPTH), nested(100_000), 10**5000,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_headers_that_claims_could_not_hold_are_refused(value: Any) -> None:
    assert refusal(raw(x=value)) is Reason.CLAIMS_MALFORMED


@pytest.mark.parametrize("compression", [["gzip"], {}, 1, b"gzip", False])
def test_a_compression_is_text(compression: Any) -> None:
    assert refusal(raw(compression=compression)) is Reason.CONTENT_DISALLOWED


def test_an_exception_nobody_thought_of_refuses() -> None:
    class Odd(dict[str, Any]):
        def items(self) -> Any:
            raise ZeroDivisionError("4111-1111")

    with pytest.raises(Rejected) as caught:
        take(RawMessage(BODY, Odd(), {}, "application/json", "utf-8", "orders"))
    assert caught.value.reason is Reason.INTERNAL
    assert "4111" not in str(caught.value)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)


def outcome(message: RawMessage) -> UnverifiedButReported | Reason:
    try:
        return take(message)
    except Rejected as refusal:
        return refusal.reason


@given(st.binary(max_size=50), st.dictionaries(st.text(), ANY), st.dictionaries(st.text(), ANY), ANY, ANY)
def test_whatever_comes_is_refused_or_is_plain_json(
    body: bytes, headers: Any, properties: Any, ct: Any, ce: Any
) -> None:
    for types in ((ct, ce), ("application/json", "utf-8")):
        taken = outcome(RawMessage(body, headers, properties, *types, "orders"))
        if isinstance(taken, UnverifiedButReported):
            assert decode_json(encode_json(dict(taken.claims.hdr))) == taken.claims.hdr
            assert decode_json(encode_json(dict(taken.claims.props))) == taken.claims.props
        else:
            assert taken is not Reason.INTERNAL
