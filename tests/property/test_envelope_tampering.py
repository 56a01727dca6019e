"""Any change of a sealed message is refused: every byte of one message, and generated ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.keys.private import PrivateKey, make_private
from safecelery.keys.ring import Keyring
from safecelery.keys.schemes import SCHEMES
from safecelery.keys.trust import TrustedKey, TrustStore
from safecelery.message.claims import Audience, Claims
from safecelery.message.codec import join, split
from safecelery.message.seal import HEADER, Draft, seal
from safecelery.message.stages import RawMessage
from safecelery.message.unseal import unseal
from tests.property.test_codec import AUDIENCES, OBJECTS

NOW = 1_800_000_000.0
BODY = b'[[2, 3], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'
ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032, section 5.1


@cache
def ring(scheme: str) -> Keyring:
    """Two trusted keys of a scheme; the first one signs."""
    begin = datetime.fromtimestamp(NOW, UTC) - timedelta(days=1)

    def private(owner: str, secret: bytes) -> PrivateKey:
        return make_private(
            scheme=scheme, owner=owner, created=begin, expires=begin + timedelta(days=9), secret=secret, where="test"
        )

    def trusted(key: PrivateKey) -> TrustedKey:
        kind, secret = SCHEMES[scheme], key.secret.reveal()
        return TrustedKey(
            kid=key.kid, owner=key.owner, scheme=scheme, not_before=None, expires=NOW + 10**6, revoked=False,
            send=("*",),
            queues=("*",), control=(), verifier=kind.verifier(secret if kind.symmetric else kind.public(secret)),
        )  # fmt: skip

    keys = [private("web", bytes(range(32))), private("batch", bytes(range(1, 33)))]
    return Keyring(keys[0], TrustStore({key.kid: trusted(key) for key in keys}))


def draft(**changes: Any) -> Draft:
    members: dict[str, Any] = {
        "typ": "task", "aud": Audience(queue="orders"), "ct": "application/json", "ce": "utf-8", "cmp": None,
        "hdr": {"task": "orders.pay", "id": "t-1", "retries": 0}, "props": {"priority": 1}, "body": BODY,
        "lifetime_s": 60,
    }  # fmt: skip
    return Draft(**{**members, **changes})


def opened(scheme: str, header: object, body: bytes = BODY, headers: Any = None) -> Claims:
    outer = {HEADER: header} if headers is None else headers
    raw = RawMessage(body, outer, {}, "application/json", "utf-8", "orders")
    return unseal(raw, ring(scheme), now=NOW, max_bytes=10_000).claims


def reason(scheme: str, header: object, body: bytes = BODY) -> Reason:
    with pytest.raises(Rejected) as caught:
        opened(scheme, header, body)
    assert caught.value.reason is not Reason.INTERNAL
    return caught.value.reason


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def changed_bytes(data: bytes) -> list[bytes]:
    """Every bit of every byte turned, every byte left out, doubled, and exchanged with the next."""
    flipped = [data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :] for at in range(len(data)) for bit in range(8)]
    dropped = [data[:at] + data[at + 1 :] for at in range(len(data))]
    doubled = [data[:at] + data[at : at + 1] + data[at:] for at in range(len(data))]
    swapped = [data[:at] + data[at + 1 : at + 2] + data[at : at + 1] + data[at + 2 :] for at in range(len(data) - 1)]
    return [other for other in (*flipped, *dropped, *doubled, *swapped) if other != data]


def test_what_is_tampered_with_below_is_good_before(scheme: str) -> None:
    envelope = seal(draft(), ring(scheme), now=NOW)
    assert opened(scheme, envelope).hdr["task"] == "orders.pay"
    assert opened(scheme, join(*split(envelope))).hdr["task"] == "orders.pay"


def test_every_changed_byte_of_the_header_is_refused(scheme: str) -> None:
    envelope = seal(draft(), ring(scheme), now=NOW)
    for changed in changed_bytes(envelope.encode()):
        reason(scheme, changed.decode("latin-1"))


def test_every_changed_byte_of_the_claims_is_refused(scheme: str) -> None:
    claims, signature = split(seal(draft(), ring(scheme), now=NOW))
    for changed in changed_bytes(claims):
        reason(scheme, join(changed, signature))


def test_every_changed_byte_of_the_signature_is_refused(scheme: str) -> None:
    claims, signature = split(seal(draft(), ring(scheme), now=NOW))
    for changed in changed_bytes(signature):
        assert reason(scheme, join(claims, changed)) is Reason.SIGNATURE_INVALID


def test_every_changed_byte_of_the_body_is_refused(scheme: str) -> None:
    envelope = seal(draft(), ring(scheme), now=NOW)
    for changed in changed_bytes(BODY):
        assert reason(scheme, envelope, changed) is Reason.SIGNATURE_INVALID


def test_a_message_of_two_is_refused(scheme: str) -> None:
    one, other = (split(seal(draft(), ring(scheme), now=NOW)) for _ in range(2))
    assert reason(scheme, join(one[0], other[1])) is Reason.SIGNATURE_INVALID


def test_a_malleable_signature_is_refused() -> None:
    claims, signature = split(seal(draft(), ring("ed25519"), now=NOW))
    for times in range(1, 8):
        scalar = int.from_bytes(signature[32:], "little") + times * ORDER
        changed = signature[:32] + scalar.to_bytes(32, "little")
        assert reason("ed25519", join(claims, changed)) is Reason.SIGNATURE_INVALID


SEALABLE = st.builds(draft, aud=AUDIENCES, hdr=OBJECTS, props=OBJECTS, body=st.binary(max_size=80))


@given(SEALABLE, st.sampled_from(sorted(SCHEMES)))
def test_what_is_sealed_is_unsealed_as_it_was(value: Draft, scheme: str) -> None:
    claims = opened(scheme, seal(value, ring(scheme), now=NOW), value.body)
    assert (claims.aud, claims.hdr, claims.props) == (value.aud, value.hdr, value.props)


@given(
    SEALABLE, st.sampled_from(sorted(SCHEMES)), st.sampled_from(["header", "claims", "signature", "body"]), st.data()
)
def test_any_change_of_any_message_is_refused(value: Draft, scheme: str, part: str, data: st.DataObject) -> None:
    envelope, body = seal(value, ring(scheme), now=NOW), value.body
    claims, signature = split(envelope)
    target = {"header": envelope.encode(), "claims": claims, "signature": signature, "body": body}[part]
    at = data.draw(st.integers(0, len(target)))
    left_out = data.draw(st.integers(0, 4))
    changed = target[:at] + data.draw(st.binary(max_size=4)) + target[at + left_out :]
    if changed == target:
        changed = target + b"A"
    if part == "header":
        reason(scheme, changed.decode("latin-1"), body)
    elif part == "body":
        assert reason(scheme, envelope, changed) is Reason.SIGNATURE_INVALID
    else:
        reason(scheme, join(changed, signature) if part == "claims" else join(claims, changed), body)
