"""Time limits hold whatever a caller, a message or remote control asks for."""

from __future__ import annotations

from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError

from safecelery import PolicyViolationError, SafeCelery
from tests.integration.stage import TIMEOUT, Stage, eventually


def stopped_by(stage: Stage, kind: str, seconds: float, result: Any) -> None:
    """The worker says which limit it was. How long it took says how much else the machine had to do."""

    def said() -> bool:
        lines = [line for line in stage.worker.log.splitlines() if f"[{result.id}]" in line]
        return any(f"{kind} time limit ({seconds:g}s) exceeded" in line.replace(".0s)", "s)") for line in lines)

    eventually(said, what=f"a {kind.lower()} limit of {seconds:g} s")


def test_the_soft_limit_stops_a_nap(stage: Stage) -> None:
    result = stage.app.tasks["service.doze"].delay(30)
    with pytest.raises(SoftTimeLimitExceeded):
        result.get(timeout=TIMEOUT)
    stopped_by(stage, "Soft", 2, result)


def test_the_hard_limit_stops_what_ignores_the_soft_one(stage: Stage) -> None:
    result = stage.app.tasks["service.deaf"].delay(30)
    with pytest.raises(TimeLimitExceeded):
        result.get(timeout=TIMEOUT)
    stopped_by(stage, "Hard", 3, result)
    assert stage.call("add", 1, 1) == 2


def test_a_caller_may_lower_the_limits(stage: Stage) -> None:
    result = stage.app.tasks["service.doze"].apply_async((30,), soft_time_limit=1, time_limit=14)
    with pytest.raises(SoftTimeLimitExceeded):
        result.get(timeout=TIMEOUT)
    stopped_by(stage, "Soft", 1, result)
    result = stage.app.tasks["service.deaf"].apply_async((30,), soft_time_limit=1, time_limit=2.5)
    with pytest.raises(TimeLimitExceeded):
        result.get(timeout=TIMEOUT)
    stopped_by(stage, "Hard", 2.5, result)


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
    result = stage.app.AsyncResult(producer.send_task("service.nap", (30,), **asked).id)
    with pytest.raises((SoftTimeLimitExceeded, TimeLimitExceeded)):
        result.get(timeout=TIMEOUT)
    stopped_by(stage, "Soft", 2, result)


def test_remote_control_cannot_raise_them(stage: Stage) -> None:
    asked = stage.app.control.time_limit("service.doze", hard=600, soft=500, reply=True, timeout=TIMEOUT, limit=1)
    assert len(asked) == 1, "it was looked at"
    result = stage.app.tasks["service.doze"].delay(30)
    with pytest.raises(SoftTimeLimitExceeded):
        result.get(timeout=TIMEOUT)
    stopped_by(stage, "Soft", 2, result)


def test_a_task_that_kills_its_process_stops_after_its_retries(stage: Stage) -> None:
    die = stage.app.tasks["service.die"]
    result = die.delay()
    with pytest.raises(WorkerLostError):
        result.get(timeout=60)
    assert len(stage.witnesses("die")) == die.max_retries + 1
    assert stage.call("add", 1, 1) == 2
    eventually(lambda: stage.depth("celery") == 0)
    assert len(stage.witnesses("die")) == die.max_retries + 1
