"""Unsealing, step by step. What each step refuses is in the vectors, too; here is what the vectors cannot say."""

from __future__ import annotations

from collections import UserString
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.codec import join
from safecelery.message.seal import HEADER, seal
from safecelery.message.stages import RawMessage
from safecelery.message.unseal import unseal
from tests.unit.keys.key_builders import T, a_private, a_ring, a_trusted, an_entry
from tests.unit.message.message_builders import BODY, MOST, NOW, a_draft, opened, raw, signed, some_claims


def refused(message: RawMessage, ring: Keyring | None = None, **how: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        opened(message, ring, **how)
    return caught.value


class Broken(Mapping[str, Any]):
    """Headers on which everything fails."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("s3cret")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("s3cret")

    def __len__(self) -> int:
        raise RuntimeError("s3cret")


def test_a_good_message_becomes_a_verified_one() -> None:
    message = opened(raw(signed(some_claims()), task="evil", id="evil"))
    assert message.claims.hdr["task"] == "orders.pay"
    assert (message.body, message.queue, message.key) == (BODY, "orders", a_trusted())


def test_the_outer_headers_are_not_kept() -> None:
    message = opened(raw(signed(some_claims()), task="evil", marker="s3cret"))
    assert "s3cret" not in repr(message)


def test_the_queue_is_the_consumers_word() -> None:
    """Whether it is the one that was meant is for the firewall."""
    assert opened(raw(signed(some_claims()), queue="elsewhere")).queue == "elsewhere"


def test_a_message_of_exactly_the_limit_is_taken() -> None:
    envelope = signed(some_claims())
    assert len(envelope) > len(BODY)
    assert opened(raw(envelope), max_bytes=len(envelope)).body == BODY
    assert refused(raw(envelope), max_bytes=len(envelope) - 1).reason is Reason.TOO_LARGE


def test_nothing_is_parsed_before_its_size_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("was parsed")

    monkeypatch.setattr("safecelery.message.unseal.split", fail)
    monkeypatch.setattr("safecelery.message.unseal.decode_json", fail)
    assert refused(raw("a" * (MOST + 1))).reason is Reason.TOO_LARGE
    assert refused(raw(signed(some_claims()), body=bytes(MOST + 1))).reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, Reason.ENVELOPE_MISSING), ("", Reason.ENVELOPE_MALFORMED), (b"e30.e30", Reason.ENVELOPE_MALFORMED),
        (0, Reason.ENVELOPE_MALFORMED), (False, Reason.ENVELOPE_MALFORMED), ([], Reason.ENVELOPE_MALFORMED),
        ({}, Reason.ENVELOPE_MALFORMED), (UserString("e30.e30"), Reason.ENVELOPE_MALFORMED),
        ("é" * 10, Reason.ENVELOPE_MALFORMED), ("\ud800", Reason.ENVELOPE_MALFORMED),
    ],
)  # fmt: skip
def test_a_header_that_is_no_envelope_is_refused(header: object, reason: Reason) -> None:
    assert refused(raw(header)).reason is reason


@pytest.mark.parametrize("headers", [{}, {"SafeCelery": "x"}, {"safecelery ": "x"}, {b"safecelery": "x"}])
def test_an_envelope_elsewhere_is_none(headers: Any) -> None:
    assert refused(RawMessage(BODY, headers, {}, None, None, "orders")).reason is Reason.ENVELOPE_MISSING


@pytest.mark.parametrize("headers", [None, [], "safecelery", 1, Broken()])
def test_headers_that_are_none_are_refused_without_their_text(headers: Any) -> None:
    refusal = refused(RawMessage(BODY, headers, {}, None, None, "orders"))
    assert refusal.reason is Reason.INTERNAL
    assert "s3cret" not in str(refusal)
    assert refusal.__cause__ is None


@pytest.mark.parametrize("body", [None, "text", 7, [1], object()])
def test_a_body_that_is_no_bytes_is_refused(body: Any) -> None:
    assert (
        refused(RawMessage(body, {HEADER: signed(some_claims())}, {}, None, None, "orders")).reason is Reason.INTERNAL
    )


def test_a_failing_verifier_is_a_refusal() -> None:
    class Failing:
        def verify(self, signature: bytes, data: bytes) -> None:
            raise MemoryError("s3cret")

    key = replace(a_trusted(), verifier=Failing())
    refusal = refused(raw(signed(some_claims())), Keyring(None, TrustStore({key.kid: key})))
    assert str(refusal) == "internal: unsealing failed with MemoryError"


def test_a_process_that_believes_nobody_refuses_everybody() -> None:
    assert refused(raw(signed(some_claims())), Keyring(a_private(), TrustStore.empty())).reason is Reason.KEY_UNKNOWN


@pytest.mark.parametrize(
    "kid", ["", "web", "WEB", a_private().kid.upper(), a_private().kid + "\0", "s3cret\n" * 30, "\x1b[31m"]
)
def test_an_unknown_key_id_is_shown_printable_and_short(kid: str) -> None:
    refusal = refused(raw(signed(some_claims(kid=kid))))
    assert refusal.reason is Reason.KEY_UNKNOWN
    assert str(refusal).isprintable()
    assert str(refusal).isascii()
    assert len(str(refusal)) < 110


@pytest.mark.parametrize(
    ("entry", "now", "reason"),
    [
        ({"revoked": "true"}, NOW, Reason.KEY_REVOKED),
        ({"expires": "2027-01-15T12:01:00Z", "revoked": "true"}, NOW, Reason.KEY_REVOKED),
        ({"expires": "2027-01-15T12:01:00Z"}, NOW, Reason.KEY_EXPIRED),
        ({"not_before": "2027-01-15T12:02:01Z"}, NOW, Reason.KEY_EXPIRED),
        ({"not_before": "2027-01-15T12:02:00Z"}, NOW, None),
        ({"expires": "2027-01-15T12:01:01Z"}, NOW, None),
    ],
)
def test_a_key_must_be_valid_when_the_message_is_read(entry: dict[str, str], now: float, reason: Reason | None) -> None:
    assert NOW == T + 60
    ring = Keyring(None, TrustStore.parse(an_entry(**entry), "test"))
    if reason is None:
        assert opened(raw(signed(some_claims())), ring, now=now, max_skew_s=60)
    else:
        assert refused(raw(signed(some_claims())), ring, now=now, max_skew_s=60).reason is reason


def test_the_skew_is_the_receivers_choice() -> None:
    message = raw(signed(some_claims(iat=int(NOW) + 10)))
    assert opened(message, max_skew_s=10)
    assert refused(message, max_skew_s=9.5).reason is Reason.NOT_YET_VALID
    assert refused(message, max_skew_s=0).reason is Reason.NOT_YET_VALID


def test_no_skew_prolongs_a_message() -> None:
    message = raw(signed(some_claims(exp=int(NOW) + 1)))
    assert opened(message, now=NOW + 0.9, max_skew_s=600)
    assert refused(message, now=NOW + 1, max_skew_s=600).reason is Reason.STALE


def test_of_several_things_amiss_the_earliest_step_decides() -> None:
    stranger = a_private(secret=bytes(32))
    later = int(NOW) + 100
    wrong: dict[str, Any] = {
        "v": 2, "kid": "nobody", "signature": stranger, "more": 1, "typ": "result", "ct": "x", "iat": later,
    }  # fmt: skip
    seen = []
    for fixed in (None, "v", "kid", "signature", "more", "typ", "ct"):
        wrong.pop(fixed or "", None)
        claims = some_claims(**{name: value for name, value in wrong.items() if name != "signature"})
        seen.append(refused(raw(signed(claims, key=wrong.get("signature")))).reason)
    assert seen == [
        Reason.VERSION_UNSUPPORTED, Reason.KEY_UNKNOWN, Reason.SIGNATURE_INVALID, Reason.CLAIMS_MALFORMED,
        Reason.TYPE_MISMATCH, Reason.CONTENT_DISALLOWED, Reason.NOT_YET_VALID,
    ]  # fmt: skip


@pytest.mark.parametrize("expect", ["result", "control", "event"])
def test_what_was_signed_for_one_domain_is_refused_in_another(expect: Any) -> None:
    envelope = seal(a_draft(), a_ring(), now=NOW)
    assert refused(raw(envelope), expect=expect).reason is Reason.TYPE_MISMATCH


def test_a_refusal_says_nothing_of_claims_and_body() -> None:
    body = b'["s3cret"]'
    for claims in (
        some_claims(ct="s3cret"), some_claims(ce="s3cret"), some_claims(typ="s3cret"), some_claims(cmp=["s3cret"]),
        some_claims(s3cret=1), some_claims(jti="s3cret"), some_claims(v="s3cret"),
        some_claims(aud={"s3cret": "s3cret"}),
        some_claims(aud={"queue": ["s3cret"]}), some_claims(exp=1, hdr={"a": "s3cret"}),
    ):  # fmt: skip
        assert "s3cret" not in str(refused(raw(signed(claims, body), body=body)))


def test_a_refusal_has_no_cause_that_a_log_would_print() -> None:
    for header in (
        "a.b.c",
        signed(b"not JSON"),
        signed(some_claims(jti="")),
        join(signed(some_claims()).encode(), b""),
    ):
        refusal = refused(raw(header))
        assert refusal.__cause__ is None
        assert refusal.__suppress_context__ or refusal.__context__ is None


def test_unsealing_takes_its_own_clock_and_limits_only_by_name() -> None:
    with pytest.raises(TypeError):
        unseal(raw("x"), a_ring(), NOW, MOST)  # type: ignore[misc]
