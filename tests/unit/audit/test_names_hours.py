"""Whether a live schedule names an hour of some clock."""

from __future__ import annotations

import pytest
from celery import Celery
from celery.schedules import crontab, schedule

from safecelery.audit.schedule import names_hours


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (crontab(minute=0, hour=9), True),
        (crontab(minute=0, day_of_week="mon"), True),
        (crontab(minute=5), False),
        (crontab(), False),
        (schedule(60), False),
        (60.0, False),
    ],
)
def test_only_a_crontab_with_an_hour_or_a_day_does(when: object, expected: bool) -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.beat_schedule = {"a": {"task": "shop.charge", "schedule": when}}
    assert names_hours(app) is expected
