"""Rules of settings, names and schedules beyond their pages."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.policy import ABSENT, UNKNOWN, Place, load_policy
from safecelery.policy.facts import Facts
from safecelery.policy.rule import PASS, Fail, Verdict
from safecelery.policy.rules import BY_CODE, CODE_BY_NAME
from tests.unit.policy.policy_builders import a_schedule, a_task, an_app, some_settings

LIMITS = load_policy("baseline").limits
DAILY = {"daily": {"task": "shop.report", "schedule": 86400}}


def asked(name: str, facts: Facts) -> Verdict:
    return BY_CODE[CODE_BY_NAME[name]].check(facts, LIMITS)


def outcome(verdict: Verdict) -> str:
    return "pass" if verdict is PASS else "fail" if isinstance(verdict, Fail) else "undecided"


def why(verdict: Verdict) -> str:
    assert isinstance(verdict, Fail)
    return verdict.detail


@pytest.mark.parametrize(
    ("rule", "stated", "more", "verdict"),
    [
        ("eager-in-production", {"task_always_eager": True}, {"production": UNKNOWN}, "undecided"),
        ("eager-in-production", {"task_always_eager": UNKNOWN}, {"production": False}, "pass"),
        ("eager-in-production", {"task_always_eager": UNKNOWN}, {}, "undecided"),
        ("eager-in-production", {}, {"production": UNKNOWN}, "pass"),
        ("remote-control-open", {}, {"signing": UNKNOWN}, "undecided"),
        ("remote-control-open", {"worker_enable_remote_control": False}, {}, "pass"),
        ("remote-control-open", {"worker_enable_remote_control": UNKNOWN}, {"signing": False}, "undecided"),
        ("schedule-file-in-the-open", {}, {}, "pass"),
        ("schedule-file-in-the-open", {"beat_schedule": DAILY}, {}, "fail"),
        ("schedule-file-in-the-open", {"beat_schedule": DAILY, "beat_schedule_filename": "/tmp/s"}, {}, "fail"),
        ("schedule-file-in-the-open", {"beat_schedule": DAILY, "beat_schedule_filename": UNKNOWN}, {}, "undecided"),
        (
            "schedule-file-in-the-open",
            {"beat_schedule": DAILY, "beat_scheduler": "redbeat.Scheduler"},
            {},
            "pass",
        ),
        ("schedule-file-in-the-open", {"beat_schedule": UNKNOWN}, {}, "undecided"),
        ("schedule-file-in-the-open", {"beat_schedule": DAILY}, {"signing": True}, "pass"),
        ("schedule-file-in-the-open", {"beat_schedule": DAILY}, {"signing": True, "complete": False}, "undecided"),
        (
            "schedule-file-in-the-open",
            {"beat_schedule": DAILY, "beat_scheduler": "celery.beat:PersistentScheduler"},
            {"signing": True},
            "fail",
        ),
        ("worker-state-is-pickle", {"worker_state_db": "/var/lib/w"}, {"signing": False}, "fail"),
        ("worker-state-is-pickle", {"worker_state_db": "/var/lib/w"}, {"signing": UNKNOWN}, "fail"),
        ("worker-state-is-pickle", {"worker_state_db": "/var/lib/w"}, {"signing": True}, "pass"),
        ("child-lifetime-unbounded", {}, {}, "undecided"),
        ("child-lifetime-unbounded", {"worker_max_memory_per_child": 300_000}, {}, "pass"),
        ("child-lifetime-unbounded", {"worker_pool": "gevent"}, {}, "pass"),
        ("child-lifetime-unbounded", {}, {"commands_bound_children": False}, "fail"),
        ("memory-limit-in-the-wrong-unit", {}, {}, "pass"),
        ("memory-limit-in-the-wrong-unit", {"worker_max_memory_per_child": UNKNOWN}, {}, "undecided"),
        ("clock-of-the-host", {"enable_utc": False, "timezone": "Europe/Vienna"}, {}, "pass"),
        ("clock-of-the-host", {"enable_utc": UNKNOWN}, {}, "undecided"),
        ("misspelt-queue-is-created", {"task_queues": UNKNOWN}, {}, "undecided"),
        ("misspelt-queue-is-created", {"task_queues": [UNKNOWN]}, {}, "fail"),
        ("broker-heartbeat-off", {"broker_heartbeat": 0, "broker_url": UNKNOWN}, {}, "undecided"),
        ("annotation-lifts-guard", {"task_annotations": UNKNOWN}, {}, "undecided"),
        ("annotation-lifts-guard", {"task_annotations": {"*": {"time_limit": UNKNOWN}}}, {}, "undecided"),
        ("annotation-lifts-guard", {"task_annotations": [{"*": {"time_limit": 60}}]}, {}, "pass"),
        ("annotation-lifts-guard", {"task_annotations": [{"*": {"acks_late": False}}]}, {}, "fail"),
        ("annotation-lifts-guard", {"task_annotations": {"*": {"max_retries": None}}}, {}, "fail"),
        ("unknown-annotation-option", {"task_annotations": {"*": {"@__call__": UNKNOWN}}}, {}, "pass"),
        ("unknown-transport-option", {"broker_url": UNKNOWN, "broker_transport_options": {}}, {}, "pass"),
        (
            "unknown-transport-option",
            {"broker_url": "redis://h", "broker_transport_options": {"retry_policy": {}, "colour": 1}},
            {},
            "pass",
        ),
        ("start-not-tracked", {"result_backend": "redis://h"}, {"longest_limit_s": UNKNOWN}, "undecided"),
        ("start-not-tracked", {"result_backend": "redis://h"}, {"longest_limit_s": ABSENT}, "pass"),
        ("settings-of-two-ages", {}, {}, "undecided"),
        ("setting-of-celery-3", {}, {"names": ("task_acks_late",), "namespace": UNKNOWN}, "undecided"),
        ("setting-out-of-reach", {}, {}, "undecided"),
    ],
)
def test_edges(rule: str, stated: dict[str, Any], more: dict[str, Any], verdict: str) -> None:
    assert outcome(asked(rule, some_settings(stated, **more))) == verdict


@pytest.mark.parametrize(
    "rule",
    [
        "pool-restart-by-message",
        "worker-state-is-pickle",
        "broker-connections-not-pooled",
        "publish-retry-off",
        "broker-reconnect-off",
        "prefetch-unlimited",
    ],
)
def test_a_setting_in_a_part_that_cannot_be_read_is_not_its_default(rule: str) -> None:
    assert outcome(asked(rule, some_settings())) == "pass"
    assert outcome(asked(rule, some_settings(complete=False))) == "undecided"


@pytest.mark.parametrize(
    ("names", "namespace", "old"),
    [
        (("CELERY_RESULT_BACKEND", "CELERY_TIMEZONE"), "CELERY", False),
        (("CELERY_RESULT_BACKEND",), None, True),
        (("CELERY_RESULT_BACKEND",), "SHOP", True),
        (("BROKER_URL",), "CELERY", True),
        (("CELERY_TASK_RESULT_EXPIRES",), "CELERY", True),
        (("broker_url", "result_backend"), None, False),
    ],
)
def test_a_name_is_old_unless_the_namespace_makes_it_todays(names: Any, namespace: Any, old: bool) -> None:
    verdict = asked("setting-of-celery-3", some_settings(names=names, namespace=namespace))
    assert outcome(verdict) == ("fail" if old else "pass")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("task_acks_lat", "(did you mean task_acks_late?)"),
        ("CELERY_TASK_TIME_LIMT", "(did you mean CELERY_TASK_TIME_LIMIT?)"),
        ("CELERY_BROKER", "(did you mean CELERY_BROKER_URL?)"),
        ("CELERYD_TIME_LIMIT", "(write CELERY_TASK_TIME_LIMIT)"),
    ],
)
def test_an_unknown_setting_is_answered_in_the_spelling_of_its_neighbours(name: str, hint: str) -> None:
    assert why(asked("unknown-setting", an_app(unknown_settings=(name,)))) == f"{name!r} {hint}"


def test_a_mixture_says_what_to_write() -> None:
    facts = some_settings(names=("task_acks_late", "CELERYD_CONCURRENCY"), namespace=None)
    assert why(asked("settings-of-two-ages", facts)) == "CELERYD_CONCURRENCY (write worker_concurrency)"


def test_the_place_of_the_task_that_won_is_named() -> None:
    verdict = asked("task-name-taken", a_task(duplicate_of=Place("shop/jobs.py", 4)))
    assert why(verdict) == "shop/jobs.py:4 has it already"
    assert outcome(asked("task-name-taken", a_task(duplicate_of=UNKNOWN))) == "undecided"


@pytest.mark.parametrize(
    ("rule", "change", "verdict"),
    [
        ("schedule-of-unknown-task", {"registered": UNKNOWN, "task": UNKNOWN}, "undecided"),
        ("schedule-of-unknown-task", {"registered": False}, "fail"),
        ("schedule-arguments-do-not-fit", {"args_problem": UNKNOWN}, "undecided"),
        ("schedule-arguments-do-not-fit", {"args_problem": "missing 'day'"}, "fail"),
        ("schedule-entry-refused", {"unknown_keys": UNKNOWN}, "undecided"),
        ("schedule-entry-refused", {"unknown_keys": ("queue",)}, "fail"),
        ("schedule-without-pause", {"period_s": 0}, "fail"),
        ("schedule-without-pause", {"period_s": -1.5}, "fail"),
        ("schedule-without-pause", {"period_s": UNKNOWN}, "undecided"),
        ("schedule-without-pause", {"period_s": 0.5}, "pass"),
    ],
)
def test_schedules(rule: str, change: dict[str, Any], verdict: str) -> None:
    assert outcome(asked(rule, a_schedule(**change))) == verdict


def test_a_key_beside_options_is_sent_there() -> None:
    detail = why(asked("schedule-entry-refused", a_schedule(unknown_keys=("arguments", "colour", "queue"))))
    assert detail == "'arguments' (did you mean 'args'?), 'colour', 'queue' belongs into 'options'"
