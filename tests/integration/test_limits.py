"""Time limits hold whatever a caller, a message or remote control asks for."""

from __future__ import annotations

import time

import pytest
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError

from safecelery import PolicyViolationError, SafeCelery
from tests.integration.stage import TIMEOUT, Stage, eventually


def test_the_soft_limit_stops_a_nap(stage: Stage) -> None:
    started = time.monotonic()
    with pytest.raises(SoftTimeLimitExceeded):
        stage.call("nap", 30)
    assert time.monotonic() - started < 10


def test_the_hard_limit_stops_what_ignores_the_soft_one(stage: Stage) -> None:
    started = time.monotonic()
    with pytest.raises(TimeLimitExceeded):
        stage.call("deaf", 30)
    assert time.monotonic() - started < 10
    assert stage.call("add", 1, 1) == 2


def test_a_caller_may_lower_the_limits(stage: Stage) -> None:
    started = time.monotonic()
    with pytest.raises(SoftTimeLimitExceeded):
        stage.app.tasks["service.nap"].apply_async((30,), soft_time_limit=1, time_limit=2.5).get(timeout=TIMEOUT)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"time_limit": 4}, "SFC407"),
        ({"soft_time_limit": 3}, "SFC407"),
        ({"time_limit": None}, "SFC408"),
        ({"soft_time_limit": 0}, "SFC408"),
        ({"time_limit": float("inf")}, "SFC40"),
    ],
)
def test_a_caller_may_not_raise_or_lift_them(stage: Stage, options: dict[str, float], rule: str) -> None:
    with pytest.raises(PolicyViolationError, match=rule):
        stage.app.tasks["service.nap"].apply_async((0,), **options)


@pytest.mark.parametrize("asked", [{"time_limit": 60, "soft_time_limit": 50}, {"time_limit": 3000}])
def test_a_message_that_asks_for_more_gets_what_the_task_has(
    stage: Stage, producer: SafeCelery, asked: dict[str, float]
) -> None:
    """The producer has no code of the task, so only the worker knows its limits."""
    started = time.monotonic()
    result = stage.app.AsyncResult(producer.send_task("service.nap", (30,), **asked).id)
    with pytest.raises((SoftTimeLimitExceeded, TimeLimitExceeded)):
        result.get(timeout=TIMEOUT)
    assert time.monotonic() - started < 10


def test_remote_control_cannot_raise_them(stage: Stage) -> None:
    stage.app.control.time_limit("service.nap", hard=600, soft=500, reply=True, timeout=1)
    started = time.monotonic()
    with pytest.raises(SoftTimeLimitExceeded):
        stage.call("nap", 30)
    assert time.monotonic() - started < 10


def test_a_task_that_kills_its_process_stops_after_its_retries(stage: Stage) -> None:
    die = stage.app.tasks["service.die"]
    result = die.delay()
    with pytest.raises(WorkerLostError):
        result.get(timeout=60)
    assert len(stage.witnesses("die")) == die.max_retries + 1
    assert stage.call("add", 1, 1) == 2
    eventually(lambda: stage.depth("celery") == 0)
    assert len(stage.witnesses("die")) == die.max_retries + 1
