"""How often an entry of the beat schedule runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from celery.schedules import crontab, schedule

from safecelery.audit.schedule import period_s, schedule_facts
from safecelery.policy.facts import ABSENT, UNKNOWN, CallFacts, Place, ScheduleFacts

DAY = 86_400
WHERE = Place("shop/celery.py", 3)


class Moody(schedule):  # type: ignore[misc]  # Celery has no types
    """A schedule with code of its own, as ``solar`` is one."""


@pytest.mark.parametrize(
    ("entry", "seconds"),
    [
        (30, 30),
        (30.5, 30.5),
        (timedelta(minutes=2), 120),
        (schedule(timedelta(minutes=3)), 180),
        (crontab(), 60),
        (crontab(minute="*/5"), 300),
        (crontab(minute="0,50"), 600),
        (crontab(minute=0), 3600),
        (crontab(minute=0, hour="3"), DAY),
        (crontab(minute=0, hour="1,23"), 2 * 3600),  # over midnight
        (crontab(minute=0, hour=0, day_of_week="mon"), 7 * DAY),
        (crontab(minute=0, hour=0, day_of_week="mon,wed"), 2 * DAY),
        (crontab(minute=0, hour=0, day_of_month="1"), 28 * DAY),
        (crontab(minute=0, hour=0, day_of_month="29", month_of_year="2"), 1461 * DAY),
        (Moody(timedelta(minutes=3)), UNKNOWN),
        (True, UNKNOWN),
        ("often", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_the_period_is_the_shortest_gap_between_two_runs(entry: Any, seconds: object) -> None:
    assert period_s(entry) == seconds


def test_an_entry_is_a_schedule_and_a_call() -> None:
    app = Celery("shop", set_as_current=False)

    @app.task(name="shop.add", time_limit=30, soft_time_limit=20, expires=timedelta(minutes=1))
    def add(x: int) -> int:
        return x

    app.conf.beat_schedule = {
        "sum": {"task": "shop.add", "schedule": 60, "args": (), "options": {"expires": 5, "countdwn": 1}, "nmae": "x"},
        "gone": {"task": "shop.gone", "schedule": 60},
    }
    app.finalize()
    add.name  # noqa: B018  # binds
    both, call, gone, _ = schedule_facts(app, WHERE)
    assert isinstance(both, ScheduleFacts)
    assert (both.entry, both.registered, both.period_s, both.task_time_limit) == ("sum", True, 60, 30)
    assert (both.expires_s, both.task_expires_s, both.unknown_keys) == (5, 60, ("nmae",))
    assert "x" in str(both.args_problem)
    assert isinstance(call, CallFacts)
    assert (call.unknown_options, call.expires_s, call.time_limit) == (("countdwn",), 5, ABSENT)
    assert isinstance(gone, ScheduleFacts)
    assert (gone.registered, gone.task_time_limit, gone.args_problem) == (False, UNKNOWN, UNKNOWN)


def test_a_schedule_of_another_kind_is_left_alone() -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.beat_schedule = "shop.schedules"
    assert list(schedule_facts(app, WHERE)) == []
