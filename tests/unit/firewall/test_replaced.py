"""Who answers for a task has to be granted that task: the header of a replacement is a claim like any other."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.canvas import canvas
from safecelery.firewall.checks.grants import grants
from safecelery.message.result import REPLACES
from tests.unit.firewall.messages import a_body, a_context, a_message


def embedded(replaced: Any) -> dict[str, Any]:
    options = {"task_id": "1", "headers": {REPLACES: replaced}}
    return {"task": "shop.refund", "args": [], "kwargs": {}, "options": options, "subtask_type": None}


def ask(replaced: Any, where: str) -> None:
    if where == "message":
        grants(a_message(**{REPLACES: replaced}), a_body(), a_context())
    else:
        canvas(a_message(), a_body(embed={where: [embedded(replaced)]}), a_context())


PLACES = pytest.mark.parametrize("where", ["message", "chain", "callbacks"])


@PLACES
def test_a_task_that_may_be_sent_may_be_replaced(where: str) -> None:
    ask({"id": "1", "task": "shop.charge"}, where)
    ask(None, where)


@PLACES
@pytest.mark.parametrize("task", ["billing.pay", "celery.map", "", None, ["shop.charge"]])
def test_another_one_may_not(where: str, task: Any) -> None:
    with pytest.raises(Rejected) as caught:
        ask({"id": "1", "task": task}, where)
    assert caught.value.reason is (Reason.TASK_NOT_GRANTED if where == "message" else Reason.CANVAS_NOT_GRANTED)


@PLACES
@pytest.mark.parametrize("odd", ["shop.charge", [], {}, {"id": "1"}, {"id": "1", "task": "shop.charge", "more": 1}])
def test_what_is_no_such_header_is_refused(where: str, odd: Any) -> None:
    with pytest.raises(Rejected) as caught:
        ask(odd, where)
    assert caught.value.reason is Reason.CLAIMS_MALFORMED


def test_an_embedded_signature_with_odd_options_is_for_the_next_check() -> None:
    for options in (None, [], {"headers": None}, {"headers": ["x"]}):
        signature = {**embedded(None), "options": options}
        try:
            canvas(a_message(), a_body(embed={"chain": [signature]}), a_context())
        except Rejected as refusal:
            assert refusal.reason in (Reason.CANVAS_OPTION, Reason.BODY_MALFORMED)  # noqa: PT017
