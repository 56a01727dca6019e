"""Whatever comes, the answer is a refusal, and it does not depend on what nobody signed."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.keys.document import key_id
from safecelery.keys.ring import Keyring
from safecelery.message.codec import encode_json, join
from safecelery.message.pae import pae
from safecelery.message.seal import HEADER
from safecelery.message.stages import RawMessage
from safecelery.message.unseal import unseal
from tests.property.test_codec import JSON, OBJECTS, TEXT
from tests.property.test_envelope_tampering import NOW, ring

RING: Keyring = ring("ed25519")
KID = next(iter(RING.trust.keys))
MEMBERS = ["v", "typ", "kid", "iat", "exp", "jti", "aud", "ct", "ce", "cmp", "hdr", "props"]
ODD = st.binary() | st.text() | st.integers() | st.floats() | st.none() | st.booleans() | st.dates()
OBJECT = st.recursive(
    ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3), max_leaves=6
)
SIGNATURES = st.binary(max_size=80) | st.just(bytes(64))


def refusal(header: Any, body: Any = b"", headers: Any = None) -> Rejected:
    raw = RawMessage(body, {HEADER: header} if headers is None else headers, {}, None, None, "orders")
    with pytest.raises(Rejected) as caught:
        unseal(raw, RING, now=NOW, max_bytes=10_000)
    return caught.value


@given(OBJECT, OBJECT)
def test_any_object_for_header_or_body_is_refused(header: Any, body: Any) -> None:
    refusal(header, body)


@given(OBJECT)
def test_any_object_for_headers_is_refused(headers: Any) -> None:
    refusal(None, headers=headers)


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_.=", max_size=200), st.binary(max_size=50))
def test_any_text_for_an_envelope_is_refused_for_a_reason(header: str, body: bytes) -> None:
    assert refusal(header, body).reason is not Reason.INTERNAL


@given(st.binary(max_size=200), SIGNATURES)
def test_any_bytes_for_claims_are_refused_for_a_reason(claims: bytes, signature: bytes) -> None:
    assert refusal(join(claims, signature)).reason is not Reason.INTERNAL


@given(JSON, SIGNATURES)
def test_any_json_for_claims_is_refused_for_a_reason(claims: Any, signature: bytes) -> None:
    assert refusal(join(encode_json(claims), signature)).reason is not Reason.INTERNAL


@given(st.dictionaries(st.sampled_from(MEMBERS) | TEXT, JSON, max_size=14), SIGNATURES, st.binary(max_size=50))
def test_without_a_signature_nothing_but_version_key_and_domain_matters(
    members: dict[str, Any], signature: bytes, body: bytes
) -> None:
    """Any other members at all, missing, wrong or hostile: the answer is that the signature does not hold."""
    claims = {**members, "v": 1, "kid": KID, "typ": "task"}
    assert refusal(join(encode_json(claims), signature), body).reason is Reason.SIGNATURE_INVALID


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=12), JSON)
def test_an_unknown_key_is_unknown_whatever_else_is_claimed(members: dict[str, Any], kid: Any) -> None:
    claims = {**members, "v": 1, "kid": kid, "typ": "task"}
    expected = Reason.KEY_UNKNOWN if isinstance(kid, str) else Reason.CLAIMS_MALFORMED
    assert refusal(join(encode_json(claims), b"")).reason is expected


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=12))
def test_signed_claims_that_are_not_whole_are_refused(members: dict[str, Any]) -> None:
    """Even of a trusted signer: what a receiver takes has every member, each of its type."""
    claims = {**members, "v": 1, "kid": KID, "typ": "task"}
    data = encode_json(claims)
    assert RING.active is not None
    assert RING.active.kid == KID
    if claims.keys() == set(MEMBERS):
        del claims["jti"]
        data = encode_json(claims)
    found = refusal(join(data, RING.active.sign(pae("task", data, b""))))
    assert found.reason is Reason.CLAIMS_MALFORMED


@given(OBJECTS, st.binary(max_size=40))
def test_a_refusal_is_short_and_printable(members: dict[str, Any], signature: bytes) -> None:
    found = str(refusal(join(encode_json({"kid": "x", "typ": "task", "v": 1, **members}), signature)))
    assert found.isprintable()
    assert len(found) < 200


@given(st.binary(max_size=100))
def test_key_ids_are_short_and_printable(public: bytes) -> None:
    assert len(key_id("web", public)) == 12
    assert key_id("web", public).isprintable()
