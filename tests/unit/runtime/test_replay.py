"""What would become of a dead letter, without a broker."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from safecelery import SafeCelery
from safecelery.brokers.browse import Found
from safecelery.errors import DeadLetterError
from safecelery.keys.generate import generate_key
from safecelery.message.claims import Audience
from safecelery.message.dead_letter import DeadLetter, Original
from safecelery.message.letter_seal import seal_letter
from safecelery.message.seal import HEADER, Draft, seal
from safecelery.message.stages import RawMessage
from safecelery.message.unseal import unseal
from safecelery.runtime.dead_letters.book import ReplayBook
from safecelery.runtime.dead_letters.replay import Allowed, Plan, Replayer
from safecelery.runtime.dead_letters.stream import Entry, entry_of
from tests.unit.apps import an_app

DEAD = "dead"
BODY = b"[[1], {}, {}]"


@pytest.fixture
def app(tmp_path: Path) -> SafeCelery:
    app = an_app(tmp_path)

    @app.task(name="orders.pay", time_limit=20, soft_time_limit=15)
    def pay(amount: int) -> None: ...

    return app


def draft(**changes: Any) -> Draft:
    values: dict[str, Any] = {
        "typ": "task", "aud": Audience(queue="celery"), "ct": "application/json", "ce": "utf-8", "cmp": None,
        "hdr": {"task": "orders.pay", "id": "i-1"}, "props": {"correlation_id": "i-1"}, "body": BODY, "lifetime_s": 1.0,
    }  # fmt: skip
    return Draft(**(values | changes))


def an_entry(app: SafeCelery, signed: Draft | None = None, *, sealed: bool = True, **changes: Any) -> Entry:
    ring = app.guard.ring
    body, headers = BODY, changes.pop("headers", {"task": "orders.pay", "id": "i-1"})
    if signed is not None:
        body, headers = signed.body, {HEADER: seal(signed, ring, now=time.time() - 5), "task": "orders.refund"}
    values: dict[str, Any] = {
        "id": "a" * 32, "reason": "stale", "detail": "", "queue": "attackers-choice", "worker": "w",
        "at": datetime.now(UTC), "key": None, "task": "attackers.choice", "task_id": None, "claimed_task": None,
        "deliveries": None, "original": Original.of(RawMessage(body, headers, {}, None, None, "celery")),
    }  # fmt: skip
    data = DeadLetter(**(values | changes)).to_bytes()
    seal_headers = {HEADER: seal_letter(data, DEAD, ring, now=time.time())} if sealed else {}
    return entry_of(Found(data, seal_headers, 1), DEAD, ring)


def plan(app: SafeCelery, entry: Entry, tmp_path: Path, **allowed: Any) -> Plan:
    return Replayer(app, None, Allowed(**allowed), ReplayBook(tmp_path / "book")).plan(entry)


def test_a_genuine_message_goes_where_its_signer_sent_it_as_what_was_signed(app: SafeCelery, tmp_path: Path) -> None:
    found = plan(app, an_entry(app, draft()), tmp_path)
    assert (found.why_not, found.task, found.queue, found.body) == ("", "orders.pay", "celery", BODY)
    assert found.signed_by == app.guard.ring.active.kid  # type: ignore[union-attr]
    raw = RawMessage(found.body, found.headers or {}, {}, None, None, found.queue)
    message = unseal(raw, app.guard.ring, now=time.time(), max_bytes=10_000)
    assert message.claims.hdr == {"task": "orders.pay", "id": "i-1"}
    assert message.claims.props == {"correlation_id": "i-1"}
    assert message.claims.jti == found.jti


def test_the_same_letter_makes_the_same_message_id_and_another_one_another(app: SafeCelery, tmp_path: Path) -> None:
    entry = an_entry(app, draft())
    assert plan(app, entry, tmp_path).jti == plan(app, entry, tmp_path).jti
    assert plan(app, an_entry(app, draft(), id="b" * 32), tmp_path).jti != plan(app, entry, tmp_path).jti
    other = an_entry(app, draft(body=b"[[2], {}, {}]"))
    assert plan(app, other, tmp_path).jti != plan(app, entry, tmp_path).jti


@pytest.mark.parametrize(
    ("how", "why", "allowed"),
    [
        ({"signed": None}, "not validly signed (envelope-missing)", {"unsigned": True, "to": "celery"}),
        ({"signed": draft(), "sealed": False}, "no trusted worker vouches", {"unsigned": True}),
        ({"signed": draft(), "reason": "replayed"}, "--run-again", {"ran_before": True}),
        (
            {"signed": draft(hdr={"task": "orders.pay", "id": "i", "expires": "2001-01-01T00:00:00+00:00"})},
            "--run-expired", {"expired": True},
        ),
        ({"signed": draft(aud=Audience(exchange="x", routing_key="y"))}, "--to", {"to": "celery"}),
    ],
)  # fmt: skip
def test_what_is_doubtful_needs_a_word_of_the_operators(
    app: SafeCelery, tmp_path: Path, how: dict[str, Any], why: str, allowed: dict[str, Any]
) -> None:
    entry = an_entry(app, **how)
    assert why in plan(app, entry, tmp_path).why_not
    assert plan(app, entry, tmp_path, **allowed).why_not == ""


@pytest.mark.parametrize(
    ("signed", "why"),
    [
        (draft(hdr={"task": "orders.unknown", "id": "i"}), "task-unknown"),
        (draft(hdr={"task": "orders.pay"}), "claims-malformed"),
        (draft(hdr={"task": ["orders.pay"], "id": "i"}), "claims-malformed"),
        (draft(body=b"\x80pickle"), "body-malformed"),
        (draft(hdr={"task": "orders.pay", "id": "i", "eta": "soon"}), "no message can be made of it (ValueError)"),
        (draft(hdr={"task": "orders.pay", "id": "i", "expires": "soon"}), "schedule-out-of-range"),
        (draft(typ="result"), "not validly signed (type-mismatch)"),
        (draft(body=b"[[], {}, {}]" + b" " * 2**21), "too-large"),
    ],
)
def test_what_workers_would_refuse_is_not_sent(app: SafeCelery, tmp_path: Path, signed: Draft, why: str) -> None:
    assert why in plan(app, an_entry(app, signed), tmp_path).why_not


def test_of_what_nobody_signed_only_the_call_is_taken_over(app: SafeCelery, tmp_path: Path) -> None:
    headers = {"task": "orders.pay", "id": "i", "eta": "2999-01-01", "timelimit": [9, 9], "stamps": {"a": "b"}}
    found = plan(app, an_entry(app, headers=headers), tmp_path, unsigned=True, to="celery")
    assert {name for name in found.headers or {} if name != HEADER} == {"task", "id"}
    assert found.signed_by is None
    assert "--to" in plan(app, an_entry(app, headers=headers), tmp_path, unsigned=True).why_not
    nameless = plan(app, an_entry(app, headers={"id": "i"}), tmp_path, unsigned=True, to="celery")
    assert "header 'task' is missing" in nameless.why_not


def test_what_is_no_letter_is_not_sent(app: SafeCelery, tmp_path: Path) -> None:
    garbage = entry_of(Found(b"rubbish", {}, 1), DEAD, app.guard.ring)
    everything = {"unsigned": True, "ran_before": True, "expired": True, "to": "celery"}
    assert "not a dead letter: not JSON" in plan(app, garbage, tmp_path, **everything).why_not


def test_a_key_that_no_worker_knows_cannot_replay(app: SafeCelery, tmp_path: Path) -> None:
    with pytest.raises(DeadLetterError, match="trust store has no key"):
        Replayer(app, generate_key("stranger"), Allowed(), ReplayBook(tmp_path / "book"))


def test_nothing_is_sent_that_cannot_be_written_down(app: SafeCelery, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    replayer = Replayer(app, None, Allowed(), ReplayBook(tmp_path / "file" / "book"))
    with pytest.raises(DeadLetterError, match="nothing is sent"):
        replayer.send(replayer.plan(an_entry(app, draft())), connection=None)


def test_the_book_is_private_and_only_grows(tmp_path: Path) -> None:
    book = ReplayBook(tmp_path / "new" / "book.jsonl")
    book.write("replaying", letter="a")
    book.write("replayed", letter="a")
    lines = [json.loads(line) for line in book.path.read_text().splitlines()]
    assert [(line["event"], line["letter"]) for line in lines] == [("replaying", "a"), ("replayed", "a")]
    assert all({"at", "user", "host"} <= line.keys() for line in lines)
    assert book.path.stat().st_mode & 0o777 == 0o600
