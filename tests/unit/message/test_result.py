"""Results, pure: their stored forms, and the list by which one is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected, SealError
from safecelery.keys.generate import trust_entry
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.result import UNNAMED, result_draft
from safecelery.message.result_form import LARGEST_ENVELOPE, join_stored, take_apart
from safecelery.message.result_open import Question, open_result
from safecelery.message.seal import Draft, seal
from tests.unit.keys.key_builders import T, a_private

NOW = T + 60
BODY = b'{"status": "SUCCESS", "result": 3, "task_id": "t-1"}'
MOST = 4_096


class World:
    """A worker that may answer for orders, a web service that reads, and somebody else."""

    def __init__(self) -> None:
        self.keys = {
            owner: a_private(owner, secret=owner.encode().ljust(32, b"-")) for owner in ("worker", "web", "stranger")
        }
        grants = {"worker": ["orders.*"]}
        entries = [trust_entry(key, results=grants.get(owner, [])) for owner, key in self.keys.items()]
        self.trust = TrustStore.parse("\n".join(entries), "test")

    def ring(self, owner: str | None) -> Keyring:
        return Keyring(self.keys[owner] if owner else None, self.trust)

    def sealed(self, body: bytes = BODY, *, by: str = "worker", kind: Any = "result", **members: Any) -> bytes:
        members = members or {"task": "orders.add", "id": "t-1", "state": "SUCCESS"}
        draft = result_draft(kind, body, lifetime_s=60, **members)
        return join_stored(body, seal(draft, self.ring(by), now=NOW), container=False)

    def read(
        self, stored: Any, question: Question | None = None, *, owner: str | None = "web", now: float = NOW
    ) -> Any:
        question = question or Question("result", "t-1")
        return open_result(stored, question, self.ring(owner), now=now, max_bytes=MOST)

    def refused(self, stored: Any, question: Question | None = None, **how: Any) -> Reason:
        with pytest.raises(Rejected) as caught:
            self.read(stored, question, **how)
        return caught.value.reason


@pytest.fixture
def world() -> World:
    return World()


# Forms ----------------------------------------------------------------------------------------------------------


def test_a_plain_reader_reads_a_sealed_result(world: World) -> None:
    stored = json.loads(world.sealed())
    assert stored.pop("safecelery").count(".") == 1
    assert stored == json.loads(BODY)


def test_a_plain_worker_reads_a_sealed_part_of_a_chord(world: World) -> None:
    body = b'[1, "t-1", "SUCCESS", {"a": ["]"]}]'
    bound = {"task": "orders.add", "id": "t-1", "state": "SUCCESS", "group": "g-1", "index": 0}
    _, task_id, state, value = json.loads(world.sealed(body, kind="chord-part", **bound))
    assert (task_id, state, value) == ("t-1", "SUCCESS", {"a": ["]"]})


ENVELOPES = st.from_regex(r"\A[A-Za-z0-9_-]{1,80}\.[A-Za-z0-9_-]{1,80}\Z")
VALUES = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=6)


@given(meta=st.dictionaries(st.text(), VALUES, min_size=1, max_size=4), envelope=ENVELOPES)
def test_what_is_joined_is_taken_apart_again(meta: dict[str, Any], envelope: str) -> None:
    body = json.dumps(meta).encode()
    assert take_apart(join_stored(body, envelope, container=False), MOST) == (body, envelope)


@given(value=VALUES, envelope=ENVELOPES)
def test_so_is_a_part(value: Any, envelope: str) -> None:
    body = json.dumps([1, "t-1", "SUCCESS", value]).encode()
    assert take_apart(join_stored(body, envelope, container=False), MOST) == (body, envelope)


@given(body=st.binary(max_size=200), envelope=ENVELOPES)
def test_so_is_a_container(body: bytes, envelope: str) -> None:
    assert take_apart(join_stored(body, envelope, container=True), MOST) == (body, envelope)


@given(meta=st.dictionaries(st.text(), VALUES, max_size=4))
def test_what_nobody_sealed_has_no_envelope(meta: dict[str, Any]) -> None:
    body = json.dumps({**meta, "last": 1}).encode()
    assert take_apart(body, MOST) == (body, None)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'"text"', b"", b"[2, 3]", b'{"a": 1} '])
def test_what_has_no_place_for_an_envelope_is_not_stored(body: bytes) -> None:
    with pytest.raises(SealError):
        join_stored(body, "a.b", container=False)


def test_an_envelope_as_large_as_a_result_is_not_stored() -> None:
    with pytest.raises(SealError, match="characters"):
        join_stored(BODY, "a" * (LARGEST_ENVELOPE + 1), container=False)


def test_nothing_is_looked_at_that_is_too_large(world: World) -> None:
    assert world.refused(b"\x00safecelery\x00" + b"x" * (MOST + LARGEST_ENVELOPE + 100)) is Reason.TOO_LARGE
    assert world.refused((b"x" * (MOST + 1), "a.b")) is Reason.TOO_LARGE


@pytest.mark.parametrize(
    "stored", [b"\x00safecelery\x00abc", b"\x00safecelery\x00\xff.a\x00{}", b'{"a": 1, "safecelery": "\xc3\xa4.b"}']
)
def test_a_broken_form_is_refused(world: World, stored: bytes) -> None:
    assert world.refused(stored) is Reason.ENVELOPE_MALFORMED


# The list -------------------------------------------------------------------------------------------------------


def test_a_sealed_result_is_believed(world: World) -> None:
    found = world.read(world.sealed())
    assert (found.body, found.task, found.id, found.objection) == (BODY, "orders.add", "t-1", None)


def test_an_unsealed_one_is_not(world: World) -> None:
    assert world.refused(BODY) is Reason.ENVELOPE_MISSING


def test_a_changed_one_is_not(world: World) -> None:
    assert world.refused(world.sealed().replace(b"3", b"4", 1)) is Reason.SIGNATURE_INVALID


def test_an_old_one_is_not(world: World) -> None:
    assert world.refused(world.sealed(), now=NOW + 61) is Reason.STALE


def test_one_of_another_id_is_not(world: World) -> None:
    stored = world.sealed(task="orders.add", id="t-2", state="SUCCESS")
    assert world.refused(stored) is Reason.AUDIENCE_MISMATCH
    assert world.read(stored, Question("result")).id == "t-2"


def test_one_of_another_task_is_not_where_the_task_is_known(world: World) -> None:
    known = Question("result", "t-1", tasks={"t-1": "orders.pay"}.get)
    assert world.refused(world.sealed(), known) is Reason.RESULT_OF_ANOTHER_TASK
    assert world.read(world.sealed(), Question("result", "t-1", tasks={"t-1": "orders.add"}.get)).task == "orders.add"


def test_a_part_is_no_result_and_a_result_is_no_part(world: World) -> None:
    body = b'[1, "t-1", "SUCCESS", 3]'
    bound = {"task": "orders.add", "id": "t-1", "state": "SUCCESS", "group": "t-1", "index": 0}
    part = world.sealed(body, kind="chord-part", **bound)
    assert world.refused(part) is Reason.CLAIMS_MALFORMED
    assert world.refused(world.sealed(), Question("chord-part", "t-1")) is Reason.CLAIMS_MALFORMED
    assert world.read(part, Question("chord-part", "t-1")).id == "t-1"


def test_a_task_is_no_result(world: World) -> None:
    aud = result_draft("result", b"", lifetime_s=1, task="orders.add", id="t-1", state="SUCCESS")
    draft = Draft(
        typ="task", aud=aud.aud, ct=aud.ct, ce=aud.ce, cmp=None, hdr=aud.hdr, props={}, body=BODY, lifetime_s=60
    )
    stored = join_stored(BODY, seal(draft, world.ring("worker"), now=NOW), container=False)
    assert world.refused(stored) is Reason.TYPE_MISMATCH


@pytest.mark.parametrize(
    "changes",
    [
        {"hdr": {"kind": "result", "task": "orders.add", "id": "t-1", "state": "SUCCESS", "more": 1}},
        {"hdr": {"kind": "result", "task": 1, "id": "t-1", "state": "SUCCESS"}},
        {"hdr": {"kind": "group", "task": "orders.add", "id": "t-1", "state": "SUCCESS"}},
        {"hdr": {"kind": "result", "task": "orders.add", "id": "", "state": "SUCCESS"}},
        {"hdr": {"kind": "result", "task": "x" * 2000, "id": "t-1", "state": "SUCCESS"}},
        {"props": {"reply_to": "elsewhere"}},
    ],
    ids=str,
)
def test_other_members_are_refused_whoever_signed_them(world: World, changes: dict[str, Any]) -> None:
    good = result_draft("result", BODY, lifetime_s=60, task="orders.add", id="t-1", state="SUCCESS")
    members = {"hdr": good.hdr, "props": good.props, **changes}
    draft = Draft(typ="result", aud=good.aud, ct=good.ct, ce=good.ce, cmp=None, body=BODY, lifetime_s=60, **members)
    stored = join_stored(BODY, seal(draft, world.ring("worker"), now=NOW), container=False)
    assert world.refused(stored) is Reason.CLAIMS_MALFORMED


def test_an_audience_that_is_not_its_ids_is_refused(world: World) -> None:
    one, other = (
        result_draft("result", BODY, lifetime_s=60, task="orders.add", id=name, state="SUCCESS")
        for name in ("t-1", "t-2")
    )
    draft = Draft(
        typ="result", aud=other.aud, ct=one.ct, ce=one.ce, cmp=None, hdr=one.hdr, props={}, body=BODY, lifetime_s=60
    )
    stored = join_stored(BODY, seal(draft, world.ring("worker"), now=NOW), container=False)
    assert world.refused(stored) is Reason.AUDIENCE_MISMATCH


# Grants ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "task", "reader", "believed"),
    [
        ("worker", "orders.add", "web", True),
        ("worker", "billing.charge", "web", False),
        ("stranger", "orders.add", "web", False),
        ("web", "billing.charge", "web", True),  # a service believes itself
        ("stranger", "orders.add", None, False),
        ("worker", "orders.add", None, True),
    ],
)
def test_who_may_answer(world: World, by: str, task: str, reader: str | None, believed: bool) -> None:
    found = world.read(world.sealed(by=by, task=task, id="t-1", state="SUCCESS"), owner=reader)
    assert (found.objection is None) == believed
    assert found.objection is None or found.objection.reason is Reason.RESULT_NOT_GRANTED


def test_who_may_not_answer_may_still_say_how_large_its_own_chord_is(world: World) -> None:
    record = seal(result_draft("chord-size", b"", lifetime_s=60, group="g", size=3), world.ring("stranger"), now=NOW)
    question = Question("chord-size", "g", instead=lambda key: key.owner == "stranger")
    assert world.read((b"", record), question).objection is None
    assert world.read((b"", record), Question("chord-size", "g")).objection is not None


def test_a_result_without_a_name_is_judged_as_the_task_that_was_sent(world: World) -> None:
    stored = world.sealed(task=UNNAMED, id="t-1", state="REVOKED")
    assert world.read(stored, Question("result", "t-1", tasks={"t-1": "orders.add"}.get)).objection is None
    assert world.read(stored, Question("result", "t-1", tasks={"t-1": "billing.pay"}.get)).objection is not None
    assert world.read(stored).objection is not None
    assert world.refused(world.sealed(task=UNNAMED, id="t-1", state="SUCCESS")) is Reason.RESULT_OF_ANOTHER_TASK


def test_nothing_but_what_a_task_came_to_is_encrypted(world: World) -> None:
    def encrypted(kind: Any, **members: Any) -> bytes:
        draft = result_draft(kind, BODY, lifetime_s=60, encrypted=True, **members)
        return join_stored(BODY, seal(draft, world.ring("web"), now=NOW), container=True)

    assert world.read(encrypted("result", task="orders.add", id="t-1", state="SUCCESS")).id == "t-1"
    assert world.refused(encrypted("group", group="g-1"), Question("group", "g-1")) is Reason.CONTENT_DISALLOWED
    size = encrypted("chord-size", group="g-1", size=2)
    assert world.refused(size, Question("chord-size", "g-1")) is Reason.CONTENT_DISALLOWED


def test_what_goes_wrong_otherwise_is_refused(world: World) -> None:
    def broken(_: str) -> str:
        raise RuntimeError("a secret")

    with pytest.raises(Rejected) as caught:
        world.read(world.sealed(), Question("result", "t-1", tasks=broken))
    assert caught.value.reason is Reason.INTERNAL
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "members",
    [{}, {"task": "a"}, {"task": "a", "id": 1}, {"task": "a", "id": "b", "size": 1}],
    ids=str,
)
def test_a_draft_has_the_members_of_its_kind(members: dict[str, Any]) -> None:
    with pytest.raises(SealError):
        result_draft("result", BODY, lifetime_s=1, **members)
