"""Report mode overrules who may send what, and never what a message is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.firewall import Body, Context, admit
from safecelery.firewall.checks import CHECKS, FORGIVEN, FORM
from safecelery.message.stages import RawMessage, UnverifiedButReported, VerifiedMessage
from safecelery.message.unsigned import take_unsigned
from tests.unit.firewall.messages import NOW, a_context, a_key, a_message

REPORT = replace(a_context(), mode="report")
KEY = replace(a_key(send=["blog.*"], queues=["blog"]), mode="report")
FAR = "2999-01-01T00:00:00+00:00"


def unsigned(**headers: Any) -> UnverifiedButReported:
    said = {"task": "shop.charge", "id": "1", **headers}
    raw = RawMessage(b"[[], {}, {}]", said, {}, "application/json", "utf-8", "orders")
    return take_unsigned(raw, now=NOW, max_bytes=100_000)


def reasons(message: Any, context: Context) -> list[Reason]:
    return [objection.reason for objection in admit(message, context).objections]


def refusal(message: Any, context: Context, *args: Any) -> Reason:
    with pytest.raises(Rejected) as caught:
        admit(message, context, *args)
    return caught.value.reason


def test_what_is_right_has_no_objections_in_either_mode() -> None:
    assert reasons(a_message(), REPORT) == reasons(a_message(), a_context()) == []


def test_every_objection_of_a_check_of_permission_is_written_down() -> None:
    callback = {"task": "admin.drop", "options": {}, "args": [], "kwargs": {}, "subtask_type": None, "immutable": False}
    message = a_message(
        key=a_key(send=["blog.*"]), retries=-50, eta=FAR, exp=int(NOW) + 10**9, queue="orders",
        body=[[], {}, {"callbacks": [callback]}],
    )  # fmt: skip
    assert reasons(message, REPORT) == [
        Reason.TASK_NOT_GRANTED, Reason.CANVAS_NOT_GRANTED, Reason.RETRIES_OUT_OF_RANGE, Reason.SCHEDULE_OUT_OF_RANGE,
    ]  # fmt: skip
    assert refusal(message, a_context()) is Reason.TASK_NOT_GRANTED


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (a_message(key=KEY), Reason.TASK_NOT_GRANTED),
        (a_message(key=replace(a_key(queues=["blog"]), mode="report")), Reason.QUEUE_NOT_GRANTED),
        (a_message(key=replace(a_key(), mode="report"), exp=int(NOW) + 10**9), Reason.STALE),
    ],
)
def test_a_key_can_be_in_report_mode_by_itself(message: VerifiedMessage, reason: Reason) -> None:
    assert reasons(message, a_context()) == [reason]


SPOILT: list[dict[str, Any]] = [
    {"id": None}, {"timelimit": "x"}, {"eta": "soon"}, {"expires": []}, {"retries": "1"}, {"errbacks": []},
    {"x": "y" * 20_000}, {"task": "shop.unknown"},
]  # fmt: skip


@pytest.mark.parametrize("headers", SPOILT)
def test_form_is_never_overruled(headers: dict[str, Any]) -> None:
    for message, context in (
        (a_message(**headers), REPORT),
        (a_message(key=replace(a_key(), mode="report"), **headers), a_context()),
        (unsigned(**headers), REPORT),
    ):
        assert refusal(message, context) not in (Reason.ENVELOPE_MISSING, Reason.INTERNAL)


def test_a_check_that_fails_is_never_overruled() -> None:
    def failing(message: VerifiedMessage, body: Body, context: Context) -> None:
        raise KeyError

    assert refusal(a_message(), REPORT, (failing,)) is Reason.INTERNAL
    assert refusal(unsigned(), REPORT, CHECKS, (failing,)) is Reason.INTERNAL


def test_a_check_that_is_not_in_the_table_is_never_overruled() -> None:
    def new(message: VerifiedMessage, body: Body, context: Context) -> None:
        raise Rejected(Reason.STALE)

    assert refusal(a_message(), REPORT, (new,)) is Reason.STALE


def test_an_empty_chain_admits_nothing() -> None:
    assert refusal(unsigned(), REPORT, CHECKS, ()) is Reason.INTERNAL
    assert refusal(unsigned(), REPORT, ()) is Reason.INTERNAL


def test_an_unsigned_message_is_admitted_with_one_objection() -> None:
    admitted = admit(unsigned(), REPORT)
    assert [objection.reason for objection in admitted.objections] == [Reason.ENVELOPE_MISSING]
    assert admitted.verified is None
    assert admitted.queue == "orders"
    assert json.loads(admitted.plain) == [[], {}, {}]


def test_an_unsigned_message_is_refused_where_nobody_asked_for_reports() -> None:
    assert refusal(unsigned(), a_context()) is Reason.ENVELOPE_MISSING


def test_the_tables_agree() -> None:
    assert set(FORM) <= set(CHECKS)
    assert FORGIVEN.keys() == set(CHECKS) - set(FORM), "a check is of form, or says what report mode overrules"
    never = {Reason.INTERNAL, Reason.BODY_MALFORMED, Reason.CLAIMS_MALFORMED, Reason.TOO_LARGE, Reason.TASK_UNKNOWN}
    assert not never & frozenset().union(*FORGIVEN.values())
