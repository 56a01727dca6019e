"""Each check on its own: what passes, and what does not, with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.firewall import Binding
from safecelery.firewall.checks.audience import DELAYED_DELIVERY, audience
from safecelery.firewall.checks.grants import grants
from safecelery.firewall.checks.lifetime import lifetime
from safecelery.firewall.checks.registered import registered
from safecelery.firewall.checks.retries import POLLING, retries, retry_count
from safecelery.firewall.checks.schedule import dates, schedule
from safecelery.firewall.checks.shape import COPIES, OPTIONAL, REQUEST_MEMBERS, REQUIRED, shape
from safecelery.message.claims import Audience
from safecelery.message.stages import VerifiedMessage, verified
from tests.unit.firewall.messages import NOW, a_body, a_context, a_key, a_message, limits

Check = Callable[..., None]


def passes(check: Check, message: VerifiedMessage, **context: Any) -> None:
    check(message, a_body(), a_context(**context))


def refuses(check: Check, message: VerifiedMessage, reason: Reason, **context: Any) -> str:
    with pytest.raises(Rejected) as caught:
        check(message, a_body(), a_context(**context))
    assert caught.value.reason is reason
    return caught.value.detail


def iso(seconds: float) -> str:
    return (datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds)).isoformat()


# shape ------------------------------------------------------------------------------------------------------------

GOOD_HEADERS: dict[str, list[Any]] = {
    "eta": [None, "2030-01-01"],
    "expires": [None, "2030-01-01"],
    "timelimit": [None, [None, None], [5, 4.5]],
    "group_index": [None, 0, 7],
    "ignore_result": [None, True],
    "stamped_headers": [None, [], ["a"]],
    "stamps": [None, {}],
    "replaced_task_nesting": [0, 3],
}
BAD_HEADERS: dict[str, list[Any]] = {
    "eta": [1, {}, []],
    "timelimit": [5, [], [5], [5, 4, 3], ["5", 4], [True, None], [-1, None], [0, None], {"0": 1}, "10"],
    "group_index": [True, "1", 1.5],
    "ignore_result": ["yes", 1],
    "stamped_headers": ["a", [1], {"a": 1}],
    "stamps": [[], "a"],
    "replaced_task_nesting": [None, True, "1", 1.0],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in GOOD_HEADERS.items() for v in values])
def test_a_header_of_its_type_passes(name: str, value: Any) -> None:
    passes(shape, a_message(**{name: value}))


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD_HEADERS.items() for v in values])
def test_a_header_of_another_type_is_refused(name: str, value: Any) -> None:
    assert name in refuses(shape, a_message(**{name: value}), Reason.CLAIMS_MALFORMED)


@pytest.mark.parametrize("name", [name for name in OPTIONAL if name not in GOOD_HEADERS])
@pytest.mark.parametrize("value", [1, [], {}, True])
def test_every_other_header_is_text_or_nothing(name: str, value: Any) -> None:
    passes(shape, a_message(**{name: None}))
    passes(shape, a_message(**{name: "text"}))
    refuses(shape, a_message(**{name: value}), Reason.CLAIMS_MALFORMED)


@pytest.mark.parametrize("name", list(REQUIRED))
@pytest.mark.parametrize("value", [None, "", 1, ["a"], {"a": 1}])
def test_task_and_id_must_be_there_as_text(name: str, value: Any) -> None:
    refuses(shape, a_message(**{name: value}), Reason.CLAIMS_MALFORMED)


@pytest.mark.parametrize("name", [*sorted(REQUEST_MEMBERS), "__class__", "__anything"])
def test_a_header_that_would_stand_in_for_a_member_of_the_request_is_refused(name: str) -> None:
    assert name in refuses(shape, a_message(**{name: None}), Reason.CLAIMS_MALFORMED)


@pytest.mark.parametrize("name", sorted(COPIES))
def test_a_header_that_names_further_queues_is_refused(name: str) -> None:
    assert name in refuses(shape, a_message(**{name: ["elsewhere"]}), Reason.CLAIMS_MALFORMED)


# audience ---------------------------------------------------------------------------------------------------------


def test_a_message_for_this_queue_passes() -> None:
    passes(audience, a_message(aud=Audience(queue="orders")))


def test_a_message_for_another_queue_is_refused_and_says_which() -> None:
    detail = refuses(audience, a_message(aud=Audience(queue="billing")), Reason.AUDIENCE_MISMATCH)
    assert "billing" in detail
    assert "orders" in detail


@pytest.mark.parametrize(
    ("binding", "meant", "reaches"),
    [
        (Binding("x", "direct", "k"), Audience(exchange="x", routing_key="k"), True),
        (Binding("x", "direct", "k"), Audience(exchange="x", routing_key="other"), False),
        (Binding("x", "direct", "k"), Audience(exchange="y", routing_key="k"), False),
        (Binding("x", "topic", "a.*"), Audience(exchange="x", routing_key="a.b"), True),
        (Binding("x", "topic", "a.*"), Audience(exchange="x", routing_key="a.b.c"), False),
        (Binding("x", "fanout", ""), Audience(exchange="x", routing_key="anything"), True),
        (Binding("x", "headers", "k"), Audience(exchange="x", routing_key="k"), False),
        (Binding("x", "topic", "orders"), Audience(exchange=DELAYED_DELIVERY, routing_key="orders"), True),
        (Binding("x", "topic", "orders"), Audience(exchange=DELAYED_DELIVERY, routing_key="billing"), False),
        (Binding("x", "fanout", ""), Audience(exchange=DELAYED_DELIVERY, routing_key=""), False),
    ],
)
def test_a_message_for_an_exchange_passes_where_a_binding_leads_here(
    binding: Binding, meant: Audience, reaches: bool
) -> None:
    message = a_message(aud=meant)
    if reaches:
        passes(audience, message, bindings=(Binding("other", "direct", "z"), binding))
    else:
        refuses(audience, message, Reason.AUDIENCE_MISMATCH, bindings=(binding,))
    refuses(audience, message, Reason.AUDIENCE_MISMATCH, bindings=())


# grants, registered, retries --------------------------------------------------------------------------------------


def test_a_granted_task_on_a_granted_queue_passes() -> None:
    passes(grants, a_message())


def test_a_task_that_is_not_granted_is_refused() -> None:
    assert "shop.charge" in refuses(grants, a_message(key=a_key(send=["blog.*"])), Reason.TASK_NOT_GRANTED)


@pytest.mark.parametrize("task", ["shop.charge", "celery.chord"])
def test_a_queue_that_is_not_granted_is_refused_for_canvas_tasks_as_well(task: str) -> None:
    message = a_message(key=a_key(queues=["blog"]), task=task)
    assert "orders" in refuses(grants, message, Reason.QUEUE_NOT_GRANTED)


def test_celerys_canvas_tasks_need_no_grant_of_their_own_but_its_other_tasks_do() -> None:
    passes(grants, a_message(task="celery.map"))
    refuses(grants, a_message(task="celery.backend_cleanup"), Reason.TASK_NOT_GRANTED)


def test_a_task_that_is_registered_passes_and_another_does_not() -> None:
    passes(registered, a_message())
    assert "shop.refund" in refuses(registered, a_message(task="shop.refund"), Reason.TASK_UNKNOWN)


@pytest.mark.parametrize("count", [0, 1, 10])
def test_a_retry_count_within_the_policy_passes(count: int) -> None:
    passes(retries, a_message(retries=count))
    passes(retries, a_message())


@pytest.mark.parametrize("count", [-1, -50, 11, 10**9, True, "1", 1.0, None, [1]])
def test_any_other_retry_count_is_refused(count: Any) -> None:
    refuses(retries, a_message(retries=count), Reason.RETRIES_OUT_OF_RANGE)


@pytest.mark.parametrize("count", [True, "1", 1.0, None, [1], {}])
def test_a_retry_count_that_is_no_whole_number_is_refused_by_its_form(count: Any) -> None:
    refuses(retry_count, a_message(retries=count), Reason.RETRIES_OUT_OF_RANGE)
    passes(retry_count, a_message(retries=-50))
    passes(retry_count, a_message())


def test_the_task_that_polls_for_a_chord_may_retry_for_as_long_as_a_message_lives() -> None:
    passes(retries, a_message(task=POLLING, retries=limits().max_retries + 1))
    refuses(retries, a_message(task=POLLING, retries=int(limits().max_message_age_s) + 1), Reason.RETRIES_OUT_OF_RANGE)


# schedule, lifetime -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"eta": None, "expires": None},
        {"eta": iso(60), "expires": iso(3600)},
        {"eta": iso(-60)},
        {"eta": "2020-01-01T00:00:00"},
        {"expires": {"__type__": "datetime", "__value__": "2030-01-01T00:00:00+00:00"}},
    ],
)
def test_dates_within_the_policy_pass(headers: dict[str, Any]) -> None:
    passes(dates, a_message(**headers))
    passes(schedule, a_message(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"eta": "tomorrow"},
        {"eta": ""},
        {"eta": 5},
        {"expires": "soon"},
        {"expires": 60},
        {"expires": {"__type__": "datetime", "__value__": 5}},
        {"expires": {"__type__": "uuid", "__value__": "x"}},
        {"eta": "9999-12-31T23:59:59"},
        {"expires": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_what_is_no_date_is_refused(headers: dict[str, Any]) -> None:
    refuses(dates, a_message(**headers), Reason.SCHEDULE_OUT_OF_RANGE)


def test_an_eta_beyond_the_horizon_is_refused() -> None:
    passes(schedule, a_message(eta=iso(limits().max_eta_s - 60)))
    refuses(schedule, a_message(eta=iso(limits().max_eta_s + 60)), Reason.SCHEDULE_OUT_OF_RANGE)


@pytest.mark.parametrize("ahead", [0, 3600])
def test_a_message_that_lives_as_long_as_the_policy_allows_passes(ahead: int) -> None:
    headers = {"eta": iso(ahead)} if ahead else {}
    passes(lifetime, a_message(exp=int(NOW + ahead + limits().max_message_age_s), **headers))


@pytest.mark.parametrize("eta", [None, -3600, 3600])
def test_a_message_that_would_live_longer_is_refused(eta: int | None) -> None:
    headers = {} if eta is None else {"eta": iso(eta)}
    exp = int(NOW + max(eta or 0, 0) + limits().max_message_age_s + limits().max_clock_skew_s + 60)
    refuses(lifetime, a_message(exp=exp, **headers), Reason.STALE)


# properties -------------------------------------------------------------------------------------------------------


def with_properties(**properties: Any) -> VerifiedMessage:
    message = a_message()
    return verified(replace(message.claims, props=properties), message.body, message.key, message.queue)


@pytest.mark.parametrize(
    "properties", [{}, {"correlation_id": "1", "reply_to": None, "priority": 0}, {"priority": 255}, {"priority": None}]
)
def test_properties_of_their_types_pass(properties: dict[str, Any]) -> None:
    passes(shape, with_properties(**properties))


@pytest.mark.parametrize(
    "properties",
    [
        {"priority": 256}, {"priority": -1}, {"priority": True}, {"priority": "1"}, {"reply_to": 1},
        {"correlation_id": []}, {"correlation_id": "a\nb"}, {"reply_to": "x" * 2000}, {"user_id": "root"},
    ],
)  # fmt: skip
def test_other_properties_are_refused(properties: dict[str, Any]) -> None:
    (name,) = properties
    assert name in refuses(shape, with_properties(**properties), Reason.CLAIMS_MALFORMED)
