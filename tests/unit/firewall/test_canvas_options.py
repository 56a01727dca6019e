"""Options of embedded signatures: which ones there are, and how far each may go."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from celery import Celery, Task
from celery.app.amqp import AMQP
from celery.backends.base import Backend
from celery.canvas import Signature, _chain, chord, group

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.canvas import canvas
from safecelery.firewall.checks.canvas_options import OPTIONS
from tests.unit.firewall.messages import NOW, a_body, a_context, a_key, a_message


def sig(task: Any = "shop.refund", /, **options: Any) -> dict[str, Any]:
    return {"task": task, "args": [], "kwargs": {}, "options": options, "subtask_type": None, "immutable": False}


def check(embed: dict[str, Any]) -> None:
    canvas(a_message(), a_body(embed=embed), a_context())


def refused(reason: Reason, embed: dict[str, Any]) -> str:
    with pytest.raises(Rejected) as caught:
        check(embed)
    assert caught.value.reason is reason
    return caught.value.detail


ACCEPTED: dict[str, list[Any]] = {
    "queue": [None, "orders"],
    "exchange": [None, ""],
    "routing_key": [None, "orders"],
    "serializer": [None, "json"],
    "compression": [None, "gzip"],
    "time_limit": [None, 5, 0.5],
    "soft_time_limit": [None, 5],
    "countdown": [None, 0, 60],
    "eta": [None, "2027-01-15T09:00:00+00:00"],
    "retries": [0, 3],
    "task_id": [None, "t"],
    "reply_to": [None, "r"],
    "expires": [None, 60, -60, 0.5, "2027-01-15T09:00:00+00:00", "2020-01-01"],
    "priority": [None, 0, 255],
    "ignore_result": [None, True, False],
    "add_to_parent": [None, False],
    "chord_size": [None, 3],
    "group_index": [None, 0],
    "replaced_task_nesting": [0, 2],
    "retry": [None, True],
    "retry_policy": [None, {}, {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 1}],
    "delivery_mode": [None, 1, 2, "persistent"],
    "interval": [None, 1],
    "max_retries": [None, 100],
    "propagate": [True],
    "safecelery_salt": ["5f" * 16],
    "stamped_headers": [None, ["a"]],
    "headers": [None, {}, {"tenant": "a"}],
}
REFUSED: dict[str, list[Any]] = {
    "queue": ["billing", 1, ["orders"], {"name": "orders"}],
    "exchange": ["amq.topic", {"name": ""}],
    "routing_key": ["billing", 1],
    "serializer": ["pickle", "yaml", 1, {}],
    "compression": ["zstd", "brotli", 1],
    "time_limit": [0, -1, True, "5", float("inf"), 10**9],
    "soft_time_limit": [0, -1, 10**9],
    "countdown": [-1, "5", True, 10**9],
    "retries": [None, -1, True, 1.0, 11],
    "task_id": [1, [], {}],
    "headers": [
        {"x": "y" * 20_000},
        {"task": "admin.drop"},
        {"retries": -5},
        {"errbacks": []},
        {"CC": ["spy"]},
        "x",
        [],
    ],
    "reply_to": [1, [], "a\nb"],
    "group_id": ["x" * 2000],
    "shadow": ["\x1b[31m"],
    "priority": [-1, 256, True, "1", 1.5, []],
    "ignore_result": [0, "yes"],
    "add_to_parent": ["x"],
    "chord_size": [-1, 1.5, 2**40, "3"],
    "group_index": [-1, []],
    "replaced_task_nesting": ["1"],
    "retry": [1, "x"],
    "retry_policy": [
        {"max_retries": None},
        {"max_retries": 10**9},
        {"errback": "x"},
        [],
        "x",
        {"interval_max": True},
    ],
    "delivery_mode": [0, 3, "x", []],
    "interval": [-1, float("inf"), "1"],
    "max_retries": [-1, 1e400],
    "propagate": ["x"],
    "stamped_headers": ["a", ["a", 1], ["a\nb"], {"a": 1}],
    "connection": ["x"],
    "producer": [None],
    "router": [None],
    "declare": [[]],
    "content_type": ["application/x-python-serialize"],
    "mandatory": [True],
    "expiration": [1],
    "x" * 100: [1],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in ACCEPTED.items() for v in values])
def test_an_option_that_callers_may_set_passes(name: str, value: Any) -> None:
    check(embed={"callbacks": [sig("shop.refund", **{name: value})]})


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in REFUSED.items() for v in values])
def test_any_other_option_or_value_is_refused(name: str, value: Any) -> None:
    detail = refused(Reason.CANVAS_OPTION, embed={"callbacks": [sig("shop.refund", **{name: value})]})
    assert name[:20] in detail
    assert len(detail) < 200


def test_dates_of_options_keep_to_the_same_bounds() -> None:
    for expires in ("soon", [], {}, float("inf"), True, "0001-01-01T00:00:00+14:00"):
        refused(Reason.SCHEDULE_OUT_OF_RANGE, embed={"callbacks": [sig("shop.refund", expires=expires)]})
    far = f"{3000 + int(NOW) % 2}-01-01T00:00:00+00:00"
    refused(Reason.SCHEDULE_OUT_OF_RANGE, embed={"callbacks": [sig("shop.refund", eta=far)]})


def test_a_stamp_that_is_named_passes_and_one_that_is_not_does_not() -> None:
    check(embed={"callbacks": [sig("shop.refund", batch="b", stamped_headers=["batch"])]})
    refused(Reason.CANVAS_OPTION, embed={"callbacks": [sig("shop.refund", batch="b", stamped_headers=["other"])]})
    refused(Reason.CANVAS_OPTION, embed={"callbacks": [sig("shop.refund", batch="b", stamped_headers="batch")]})
    replaces = {"safecelery_replaces": {"id": "t", "task": "shop.refund"}, "stamped_headers": ["safecelery_replaces"]}
    refused(Reason.CANVAS_OPTION, embed={"chain": [sig("shop.refund", **replaces)]})


def test_a_stamp_cannot_carry_an_option_past_its_check() -> None:
    refused(
        Reason.CANVAS_OPTION,
        embed={"callbacks": [sig("shop.refund", serializer="pickle", stamped_headers=["serializer"])]},
    )


#: What a worker calls with the options of an embedded signature, or with some of them.
CALLED = (
    Signature.__init__, Signature.apply_async, Signature.clone, Signature.freeze, Signature._merge, Signature.stamp,
    group.apply_async, group._apply_tasks, group.freeze, group.stamp,
    _chain.apply_async, _chain.run, _chain.prepare_steps, _chain.freeze, _chain.stamp,
    chord.__init__, chord.apply_async, chord.run, chord.freeze, chord.stamp,
    Task.apply_async, Celery.send_task, AMQP.as_task_v2, Backend.apply_chord, Backend.fallback_chord_unlock,
)  # fmt: skip


@pytest.mark.parametrize("called", CALLED, ids=lambda called: called.__qualname__)
def test_no_stamp_is_named_like_a_parameter_of_what_gets_the_options(called: Any) -> None:
    """``header_delay`` of a chord, above all: its members are options that nobody has checked."""
    named = [
        parameter.name
        for parameter in inspect.signature(called).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) and parameter.name not in OPTIONS
    ]
    for name in named:
        stamped = sig("shop.refund", **{name: {"queue": "admin"}, "stamped_headers": [name]})
        refused(Reason.CANVAS_OPTION, embed={"callbacks": [stamped]})


@pytest.mark.parametrize("options", [[], "x", 1, True])
def test_options_that_are_no_object_are_refused(options: Any) -> None:
    refused(Reason.BODY_MALFORMED, embed={"callbacks": [{"task": "shop.refund", "options": options}]})


def test_a_signature_without_options_passes() -> None:
    check(embed={"callbacks": [{"task": "shop.refund"}, {"task": "shop.refund", "options": None}]})


def test_only_what_is_searched_for_signatures_is_accepted_unseen() -> None:
    thing = object()
    unseen = set()
    for name, accepts in OPTIONS.items():
        try:
            if accepts(thing, a_key(), a_context()):
                unseen.add(name)
        except Rejected:
            pass
    assert unseen == {"link", "link_error", "chain", "chord"}
