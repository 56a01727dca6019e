"""Sealing: what is sealed can be unsealed as it was, and what could not is refused here, by name."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from safecelery.errors import SealError
from safecelery.keys import base64url
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.claims import TYPES, Audience
from safecelery.message.codec import split
from safecelery.message.pae import pae
from safecelery.message.seal import HEADER, seal
from tests.unit.keys.key_builders import a_private, a_ring
from tests.unit.message.message_builders import BODY, HDR, NOW, a_draft, opened, raw

SECRET = "s3cret"


def claims_of(envelope: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(split(envelope)[0])
    return found


def test_the_header_is_called_safecelery() -> None:
    assert HEADER == "safecelery"


def test_what_is_sealed_is_unsealed_as_it_was() -> None:
    draft = a_draft()
    claims = opened(raw(seal(draft, a_ring(), now=NOW))).claims
    assert (claims.hdr, claims.props, claims.aud) == (draft.hdr, draft.props, draft.aud)
    assert (claims.typ, claims.ct, claims.ce, claims.cmp, claims.v) == ("task", "application/json", "utf-8", None, 1)
    assert claims.kid == a_private().kid


def test_an_envelope_is_claims_and_a_signature_over_all() -> None:
    data, signature = split(seal(a_draft(), a_ring(), now=NOW))
    assert signature == a_private().sign(pae("task", data, BODY))


@pytest.mark.parametrize(
    ("now", "lifetime", "iat", "exp"),
    [
        (0.0, 10.0, 0, 10),
        (0.9, 10.0, 0, 10),
        (0.0, 0.1, 0, 1),
        (0.0, 1.5, 0, 2),
        (0, 600, 0, 600),
    ],
)
def test_times_are_whole_seconds(now: float, lifetime: float, iat: int, exp: int) -> None:
    claims = claims_of(seal(a_draft(lifetime_s=lifetime), a_ring(), now=NOW + now))
    assert (claims["iat"] - NOW, claims["exp"] - NOW) == (iat, exp)
    assert type(claims["iat"]) is type(claims["exp"]) is int


@pytest.mark.parametrize("lifetime", [0, -1, -0.0, float("nan"), float("inf"), -float("inf"), 1e300, 2**53])
def test_a_lifetime_that_is_none_is_refused(lifetime: float) -> None:
    with pytest.raises(SealError, match="lifetime"):
        seal(a_draft(lifetime_s=lifetime), a_ring(), now=NOW)


def test_every_message_has_an_id_of_its_own() -> None:
    ids = {claims_of(seal(a_draft(), a_ring(), now=NOW))["jti"] for _ in range(100)}
    assert len(ids) == 100
    assert {len(bytes.fromhex(one)) for one in ids} == {16}


@pytest.mark.parametrize("typ", TYPES)
def test_every_domain_is_sealed_for_itself(typ: str) -> None:
    envelope = seal(a_draft(typ=typ), a_ring(), now=NOW)
    assert opened(raw(envelope), expect=typ).claims.typ == typ


@pytest.mark.parametrize(
    "aud",
    [Audience(queue="käse"), Audience(exchange="shop", routing_key=""), Audience(exchange="a", routing_key="b.c")],
)
def test_the_audience_is_signed_in_its_form(aud: Audience) -> None:
    envelope = seal(a_draft(aud=aud), a_ring(), now=NOW)
    assert claims_of(envelope)["aud"] == aud.as_json()
    assert opened(raw(envelope)).claims.aud == aud


@pytest.mark.parametrize(
    "value",
    [
        {SECRET}, SECRET.encode(), float("nan"), float("inf"), object(), SECRET + "\ud800", {1: SECRET},
        [{None: SECRET}],
        {1: 1, "1": SECRET}, ({2: SECRET},), [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[SECRET]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],
        [10**5000],
    ],
)  # fmt: skip
@pytest.mark.parametrize(("kind", "where"), [("hdr", "header 'odd'"), ("props", "property 'odd'")])
def test_what_is_not_plain_json_is_refused_by_name_and_not_shown(kind: str, where: str, value: Any) -> None:
    with pytest.raises(SealError) as caught:
        seal(a_draft(**{kind: {"task": "orders.pay", "odd": value, "id": "t-1"}}), a_ring(), now=NOW)
    assert str(caught.value).startswith(f"{where} cannot be signed")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", [1, None, True, 1.5])
def test_a_header_whose_name_is_no_text_is_refused(name: Any) -> None:
    with pytest.raises(SealError, match=f"header {name!r} cannot be signed"):
        seal(a_draft(hdr={**HDR, name: 1}), a_ring(), now=NOW)


def test_a_circle_is_refused() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    with pytest.raises(SealError, match="header 'odd'"):
        seal(a_draft(hdr={"odd": circle}), a_ring(), now=NOW)


def test_headers_that_are_too_deep_only_together_are_refused() -> None:
    """A header alone may nest as deep as the claims may; within them it is two levels further down."""
    value: Any = 1
    for _ in range(31):
        value = [value]
    with pytest.raises(SealError, match="the message cannot be signed"):
        seal(a_draft(hdr={"deep": value}), a_ring(), now=NOW)
    assert opened(raw(seal(a_draft(hdr={"deep": value[0]}), a_ring(), now=NOW))).claims.hdr == {"deep": value[0]}


@pytest.mark.parametrize(
    "change", [{"typ": "job"}, {"typ": "täsk"}, {"ct": None}, {"ce": b"utf-8"}, {"cmp": 1}, {"cmp": {"a": 1}}]
)
def test_what_every_receiver_would_call_malformed_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SealError, match="is not text"):
        seal(a_draft(**change), a_ring(), now=NOW)


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(SealError, match="no key to sign with"):
        seal(a_draft(), Keyring(None, TrustStore.empty()), now=NOW)


def test_with_an_expired_key_nothing_is_sealed() -> None:
    with pytest.raises(SealError, match="expired on 2027-02-14"):
        seal(a_draft(), a_ring(), now=NOW + timedelta(days=30).total_seconds())


def test_an_envelope_shows_no_secret() -> None:
    envelope = seal(a_draft(), a_ring(), now=NOW)
    assert base64url.encode(bytes(range(32))) not in envelope
    assert bytes(range(32)) not in b"".join(split(envelope))
