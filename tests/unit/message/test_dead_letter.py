"""Dead letters: one record for every message, read strictly, recognised by the worker's seal."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.keys.generate import generate_key, trust_entry
from safecelery.keys.private import PrivateKey
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.claims import Audience
from safecelery.message.codec import Malformed
from safecelery.message.dead_letter import DeadLetter, Original, read_letter
from safecelery.message.letter_seal import check_letter, seal_letter
from safecelery.message.seal import HEADER, Draft, seal
from safecelery.message.signed_once import signed_once
from safecelery.message.stages import RawMessage

NOW = datetime(2027, 1, 1, tzinfo=UTC)
CREATED = NOW - timedelta(days=1)
QUEUE = "dead"


def raw(**changes: Any) -> RawMessage:
    values: dict[str, Any] = {
        "body": b"4111", "headers": {"task": "t"}, "properties": {}, "content_type": "application/json",
        "content_encoding": "utf-8", "queue": "orders",
    }  # fmt: skip
    return RawMessage(**(values | changes))


def letter(message: RawMessage | None = None, **changes: Any) -> DeadLetter:
    values: dict[str, Any] = {
        "id": "0" * 32, "reason": "key-unknown", "detail": "no trusted key 'x'", "queue": "orders", "worker": "w@h",
        "at": NOW, "key": None, "task": None, "task_id": None, "claimed_task": "t", "deliveries": None,
        "original": Original.of(message or raw()),
    }  # fmt: skip
    return DeadLetter(**(values | changes))


def keys(owner: str = "worker", **how: Any) -> tuple[PrivateKey, str]:
    key = generate_key(owner, now=CREATED, **how)
    return key, trust_entry(key, send=["*"], queues=["*"])


def ring_of(*pairs: tuple[PrivateKey, str]) -> Keyring:
    return Keyring(pairs[0][0], TrustStore.parse("\n".join(entry for _, entry in pairs), "test"))


def test_the_record_has_these_members_and_no_others() -> None:
    assert json.loads(letter().to_bytes()) == {
        "v": 1, "id": "0" * 32, "reason": "key-unknown", "detail": "no trusted key 'x'", "queue": "orders",
        "worker": "w@h", "at": "2027-01-01T00:00:00+00:00", "key": None, "task": None, "task_id": None,
        "claimed_task": "t", "deliveries": None,
        "original": {
            "body": base64.b64encode(b"4111").decode(), "headers": {"task": "t"}, "properties": {},
            "content_type": "application/json", "content_encoding": "utf-8",
        },
    }  # fmt: skip


ANY_TEXT = st.text(st.characters())  # half characters, too
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary() | st.datetimes()
    | st.decimals() | st.uuids(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(ANY_TEXT | st.integers(), inner),
    max_leaves=10,
)  # fmt: skip


@given(st.binary(), st.dictionaries(ANY_TEXT, ODD), ODD, ANY_TEXT, ANY_TEXT)
def test_any_message_can_be_recorded_read_and_its_bytes_come_back(
    body: bytes, headers: dict[str, Any], odd: Any, queue: str, task: str
) -> None:
    message = raw(body=body, headers=headers, content_type=odd, properties={"x": odd}, queue=queue)
    written = letter(message, queue=queue, claimed_task=task, detail=task)
    read = read_letter(written.to_bytes())
    assert read.original.body == body
    assert read.to_bytes() == written.to_bytes()


def test_what_json_cannot_hold_is_spelt_out() -> None:
    headers = {
        "bytes": b"\xff", "money": Decimal("1.5"), "at": NOW, "list": (b"a",), 5: None, "nan": float("nan"),
        "big": 10**5000, "half": "\ud800",
    }  # fmt: skip
    kept = read_letter(letter(raw(headers=headers)).to_bytes()).original.headers
    assert kept == {
        "bytes": {"base64": "/w=="}, "money": "1.5", "at": str(NOW), "list": [{"base64": "YQ=="}], "5": None,
        "nan": "nan", "big": hex(10**5000), "half": "\\ud800",
    }  # fmt: skip


def test_nesting_does_not_exhaust_the_stack() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    data = letter(raw(headers={"deep": deep}, properties={"deep": {"deep": deep}}, content_type=deep)).to_bytes()
    assert b"nested too deeply" in data
    assert read_letter(data).original.body == b"4111"


def test_what_others_wrote_is_cut_where_it_stands_beside_our_own_words() -> None:
    read = read_letter(letter(claimed_task="x" * 10_000, detail="y" * 10_000).to_bytes())
    assert (len(read.claimed_task or ""), len(read.detail)) == (1024, 1024)


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(letter().to_bytes()) | changes).encode()


def original(**changes: Any) -> bytes:
    return changed(original=json.loads(letter().to_bytes())["original"] | changes)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff", b"[]", b"null", b"{}", b"{" * 100_000, changed(v=2), changed(v=True), changed(v="1"),
        changed(id="short"), changed(id=1), changed(id="G" * 32), changed(id="0" * 32 + "\n"),
        changed(reason="No Reason\x1b"), changed(reason=""), changed(at="yesterday"), changed(at="2027-01-01T00:00:00"),
        changed(at="0001-01-01T00:00:00+23:59"), changed(deliveries=-1), changed(deliveries=True),
        changed(deliveries=2**53), changed(deliveries=1.5), changed(key=1), changed(task=["a"]), changed(more=1),
        changed(original=None), original(body="%%%"), original(body="YQ"), original(headers=[]),
        original(properties=None), original(more=1), changed(detail=None), changed(queue=None),
        letter().to_bytes()[:-1], letter().to_bytes() + b"x", letter().to_bytes().replace(b'"v":1,', b'"v":1,"v":1,'),
    ],
)  # fmt: skip
def test_anything_else_is_no_dead_letter(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_letter(data)


@given(st.binary())
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_letter(data)


# The worker's seal -------------------------------------------------------------------------------------------------


def test_a_sealed_letter_names_its_worker() -> None:
    worker = keys()
    data = letter().to_bytes()
    headers = {HEADER: seal_letter(data, QUEUE, ring_of(worker), now=NOW.timestamp())}
    assert check_letter(data, headers, QUEUE, ring_of(keys("other"), worker)).key == worker[0].kid


def test_a_changed_moved_planted_or_foreign_letter_has_no_seal() -> None:
    worker, stranger = ring_of(keys()), ring_of(keys("stranger"))
    data = letter().to_bytes()
    good = {HEADER: seal_letter(data, QUEUE, worker, now=NOW.timestamp())}

    def why(data: bytes, headers: dict[str, Any], queue: str, ring: Keyring) -> str:
        found = check_letter(data, headers, queue, ring)
        assert found.key is None
        return found.why_not

    assert why(letter(reason="stale").to_bytes(), good, QUEUE, worker) == "signature-invalid"
    assert why(data, good, "elsewhere", worker) == "sealed for another queue"
    assert why(data, {}, QUEUE, worker) == "not sealed"
    assert why(data, good, QUEUE, stranger) == "key-unknown"
    assert why(data, {HEADER: ["a"]}, QUEUE, worker) == "envelope-malformed"
    assert why(data, {HEADER: "rubbish"}, QUEUE, worker) == "envelope-malformed"
    assert why(data, {HEADER: "W10.e30"}, QUEUE, worker) == "claims-malformed"


def test_a_signed_task_is_no_seal_and_a_seal_is_no_task() -> None:
    ring, data = ring_of(keys()), letter().to_bytes()
    task = seal(a_task(data), ring, now=NOW.timestamp())
    assert check_letter(data, {HEADER: task}, QUEUE, ring).why_not == "type-mismatch"
    sealed = raw(body=data, headers={HEADER: seal_letter(data, QUEUE, ring, now=NOW.timestamp())})
    with pytest.raises(Rejected) as refused:
        signed_once(sealed, ring)
    assert refused.value.reason is Reason.TYPE_MISMATCH


def test_without_a_key_or_with_an_expired_one_a_letter_is_not_sealed() -> None:
    assert seal_letter(b"{}", QUEUE, Keyring(None, TrustStore.empty()), now=NOW.timestamp()) is None
    old = ring_of(keys(lifetime=timedelta(hours=1)))
    assert seal_letter(b"{}", QUEUE, old, now=NOW.timestamp()) is None


# What was signed once ----------------------------------------------------------------------------------------------


def a_task(body: bytes = b"[[], {}, {}]", **changes: Any) -> Draft:
    values: dict[str, Any] = {
        "typ": "task", "aud": Audience(queue=QUEUE), "ct": "application/json", "ce": "utf-8", "cmp": None,
        "hdr": {"task": "t", "id": "i"}, "props": {}, "body": body, "lifetime_s": 60.0,
    }  # fmt: skip
    return Draft(**(values | changes))


def test_an_expired_message_of_an_expired_key_was_genuine() -> None:
    ring = ring_of(keys(lifetime=timedelta(days=2)))
    envelope = seal(a_task(), ring, now=NOW.timestamp())
    found = signed_once(raw(body=b"[[], {}, {}]", headers={HEADER: envelope}), ring)
    assert found.claims.hdr["task"] == "t"
    assert ring.active is not None
    assert found.kid == ring.active.kid


def test_a_revoked_key_vouches_for_nothing() -> None:
    key, entry = keys()
    envelope = seal(a_task(), ring_of((key, entry)), now=NOW.timestamp())
    with pytest.raises(Rejected) as refused:
        signed_once(raw(body=b"[[], {}, {}]", headers={HEADER: envelope}), ring_of((key, entry + "revoked = true\n")))
    assert refused.value.reason is Reason.KEY_REVOKED


@pytest.mark.parametrize(
    "envelope", [None, 1, "", ".", "e30.e30", "bnVsbA.e30", "eyJpYXQiOi0xfQ.e30", "eyJpYXQiOjFlOTk5fQ.e30"]
)
def test_what_was_never_signed_is_refused_as_ever(envelope: object) -> None:
    with pytest.raises(Rejected):
        signed_once(raw(headers={HEADER: envelope}), ring_of(keys()))


def test_the_same_id_can_be_asked_for_twice() -> None:
    ring = ring_of(keys())
    first, second = (seal(a_task(jti="a" * 32), ring, now=NOW.timestamp()) for _ in range(2))
    assert first == second
