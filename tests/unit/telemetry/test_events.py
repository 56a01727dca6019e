"""Events reach every sink, whatever one of them does; their lines are one each, bounded, and without payload."""

from __future__ import annotations

import json
import logging
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecelery.errors import LONGEST_DETAIL, Reason, Rejected, one_line
from safecelery.message.stages import AdmittedMessage, admitted, unverified_but_reported
from safecelery.telemetry import events
from safecelery.telemetry.events import REJECTIONS, MessageRejected, admission, emit, refusal_event
from safecelery.telemetry.metrics import ADMITTED, AGE, MAX_SERIES, REFUSALS, SUPPRESSED
from safecelery.telemetry.throttle import BURST, Throttle
from tests.unit.firewall.messages import NOW, a_message

EVENT = MessageRejected(reason=Reason.STALE, detail="expired", queue="orders", key="web-1", task="shop.charge")
CANARY = "4111-1111-1111-1111"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No numbers and no suppressed lines of other tests."""
    monkeypatch.setattr(events, "_THROTTLE", Throttle())
    yield
    for metric in (ADMITTED, AGE, REFUSALS, SUPPRESSED):
        metric.clear()


def test_a_rejection_is_counted_by_its_reason() -> None:
    before = REJECTIONS[Reason.STALE]
    emit(EVENT)
    emit(EVENT)
    assert REJECTIONS[Reason.STALE] == before + 2
    assert REFUSALS.total(reason="stale", mode="enforce") == 2


def test_what_was_admitted_in_report_mode_is_counted_apart() -> None:
    before = REJECTIONS[Reason.STALE]
    emit(replace(EVENT, mode="report"))
    assert REJECTIONS[Reason.STALE] == before
    assert (REFUSALS.total(mode="enforce"), REFUSALS.total(mode="report")) == (0, 1)


def test_one_line_names_reason_queue_key_and_task(caplog: pytest.LogCaptureFixture) -> None:
    emit(EVENT)
    (record,) = caplog.records
    assert record.getMessage() == "message refused: stale (expired) queue=orders key=web-1 task=shop.charge"
    assert record.levelname == "WARNING"


def test_the_fields_are_attributes_of_the_record_under_stable_names(caplog: pytest.LogCaptureFixture) -> None:
    emit(replace(EVENT, owner="web", mode="report"))
    (record,) = caplog.records
    found = {name.removeprefix("safecelery_"): value for name, value in vars(record).items() if "safecelery_" in name}
    assert found == {
        "event": "message-reported", "reason": "stale", "detail": "expired", "queue": "orders", "key": "web-1",
        "owner": "web", "task": "shop.charge", "mode": "report", "suppressed": 0,
    }  # fmt: skip


def test_a_sink_that_fails_does_not_silence_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[MessageRejected] = []

    def broken(event: MessageRejected) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(events, "SINKS", (broken, heard.append))
    emit(EVENT)
    assert heard == [EVENT]
    assert "a telemetry sink failed" in caplog.text


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        EVENT.task = "other"  # type: ignore[misc]


# what is told of a message ----------------------------------------------------------------------------------------


def full_of_canaries(**headers: Any) -> Any:
    said = dict.fromkeys(("shadow", "origin", "argsrepr", "group", "tenant"), CANARY) | headers
    return a_message(body=[[CANARY], {CANARY: CANARY}, {}], **said)


def test_a_refusal_tells_the_task_of_a_verified_message_and_no_other_header(caplog: pytest.LogCaptureFixture) -> None:
    verified = full_of_canaries(task="shop.unknown")
    emit(refusal_event(Rejected(Reason.TASK_UNKNOWN, "x"), "orders", verified, {"shop.charge"}))
    emit(refusal_event(Rejected(Reason.ENVELOPE_MISSING, "x"), "orders", None, {"shop.charge"}))
    assert "task=shop.unknown" in caplog.records[0].getMessage()
    assert "task=None" in caplog.records[1].getMessage()
    assert not [record for record in caplog.records if CANARY in str(vars(record))]


def test_a_task_that_is_not_registered_is_no_label() -> None:
    for n in range(10):
        emit(refusal_event(Rejected(Reason.TASK_UNKNOWN), "orders", a_message(task=f"made.up{n}"), {"shop.charge"}))
    emit(refusal_event(Rejected(Reason.STALE), "orders", a_message(), {"shop.charge"}))
    assert REFUSALS.values() == {
        ("task-unknown", "orders", "", "web", "enforce"): 10,
        ("stale", "orders", "shop.charge", "web", "enforce"): 1,
    }


def reported(verified: bool) -> AdmittedMessage:
    message = full_of_canaries()
    if not verified:
        message = unverified_but_reported(message.claims, message.body, message.queue)
    return admitted(message, message.body, (Rejected(Reason.STALE, "old"), Rejected(Reason.TASK_NOT_GRANTED, "no")))


@pytest.mark.parametrize(("verified", "owner", "key"), [(True, "web", "web-01234567"), (False, "", "None")])
def test_an_admitted_message_is_counted_and_each_overruled_objection_told(
    verified: bool, owner: str, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    admission(reported(verified), NOW + 7)
    assert ADMITTED.values() == {("orders", "shop.charge", owner): 1}
    assert REFUSALS.total(owner=owner, task="shop.charge", mode="report") == 2
    assert sum(AGE.values()[0]) == verified
    assert [record.getMessage() for record in caplog.records] == [
        f"message would be refused: stale (old) queue=orders key={key} task=shop.charge",
        f"message would be refused: task-not-granted (no) queue=orders key={key} task=shop.charge",
    ]
    assert CANARY not in caplog.text


HOSTILE = "orders\n2027-01-01 message admitted\r\x1b[31m\u202e\u2028\x00"


def test_hostile_names_stay_in_their_line(caplog: pytest.LogCaptureFixture) -> None:
    emit(
        replace(
            EVENT,
            queue=HOSTILE,
            task=HOSTILE,
            key=HOSTILE,
            owner=HOSTILE,
            detail=Rejected(Reason.STALE, HOSTILE).detail,
        )
    )
    (record,) = caplog.records
    assert record.getMessage().isprintable()
    assert r"orders\n2027" in record.getMessage()
    assert all(str(value).isprintable() for name, value in vars(record).items() if name.startswith("safecelery_"))


@given(st.text(), st.integers(0, 60))
def test_one_line_is_printable_bounded_and_leaves_ordinary_text_alone(text: str, most: int) -> None:
    line = one_line(text, most)
    assert line.isprintable()
    assert len(line) <= most + len("...")
    if text.isprintable() and len(text) <= most:
        assert line == text


def test_a_refusals_detail_is_bounded_wherever_it_goes() -> None:
    refusal = Rejected(Reason.AUDIENCE_MISMATCH, "x" * 10**6)
    assert len(refusal.detail) == LONGEST_DETAIL + 3
    assert len(str(refusal)) < LONGEST_DETAIL + 50


# floods -----------------------------------------------------------------------------------------------------------


def test_a_flood_is_counted_whole_and_logged_in_part(caplog: pytest.LogCaptureFixture) -> None:
    clock = [0.0]
    events._THROTTLE = Throttle(clock=lambda: clock[0])
    for _ in range(BURST + 500):
        emit(EVENT)
    assert len(caplog.records) == BURST
    assert SUPPRESSED.values() == {("stale",): 500}
    emit(replace(EVENT, reason=Reason.INTERNAL))
    assert "internal" in caplog.records[-1].getMessage(), "another reason has a budget of its own"
    clock[0] += 60
    emit(EVENT)
    assert caplog.records[-1].getMessage().endswith(" suppressed=500")
    assert REFUSALS.total(reason="stale") == BURST + 501


def test_fifty_thousand_refusals_do_not_grow_memory() -> None:
    """Every one with names of its own, as an attacker would choose them."""
    logger = logging.getLogger("safecelery")
    quiet = logging.NullHandler()
    logger.addHandler(quiet)
    logger.propagate = False
    try:
        tracemalloc.start()
        for n in range(50_000):
            verified = a_message(task=f"made.up.{n}") if n % 100 == 0 else None
            emit(refusal_event(Rejected(list(Reason)[n % len(Reason)], f"key {n!r}"), "orders", verified, ()))
            if n == 5_000:
                before = tracemalloc.get_traced_memory()[0]
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        logger.propagate = True
        logger.removeHandler(quiet)
    assert grown < 100_000
    assert REFUSALS.total() == 50_000
    assert len(REFUSALS.values()) <= 2 * len(Reason)


def test_labels_without_end_are_counted_together() -> None:
    for n in range(MAX_SERIES + 500):
        emit(replace(EVENT, queue=f"q{n}"))
    assert len(REFUSALS.values()) == MAX_SERIES + 1
    assert REFUSALS.total() == MAX_SERIES + 500
    assert REFUSALS.total(queue="(other)") == 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_a_name_is_json_can_hold_the_record(caplog: pytest.LogCaptureFixture, queue: str, task: str) -> None:
    caplog.clear()
    events._THROTTLE = Throttle()
    emit(replace(EVENT, queue=queue, task=task))
    (record,) = caplog.records
    assert json.dumps(record.safecelery_queue)  # type: ignore[attr-defined]
    assert len(record.getMessage()) < 1_000
