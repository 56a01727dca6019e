"""The beat schedule of a live app, as facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from celery import Celery
from celery.schedules import crontab, schedule

from safecelery.audit.places import setting_place
from safecelery.audit.tasks import seconds
from safecelery.policy.facts import ABSENT, UNKNOWN, CallFacts, Place, ScheduleFacts, Unknown
from safecelery.policy.vocabulary import unknown_call_options

__all__ = ["names_hours", "period_s", "schedule_facts"]

_FOUR_YEARS = [date(2024, 1, 1) + timedelta(days=day) for day in range(1461)]
_DAY = 86_400
_KEYS = frozenset(
    {"name", "task", "last_run_at", "total_run_count", "schedule", "args", "kwargs", "options", "relative"}
)
"""What an entry may say (celery/beat.py, ``ScheduleEntry.__init__``)."""


def schedule_facts(app: Celery, where: Place) -> Iterator[ScheduleFacts | CallFacts]:
    """For each entry what it runs and when, and the call that it makes."""
    entries = app.conf.beat_schedule
    if not isinstance(entries, dict):
        return
    where = setting_place(app, "beat_schedule", where)
    for name, entry in entries.items():
        task, options = _member(entry, "task"), _member(entry, "options")
        options = options if isinstance(options, dict) else {}
        registered = app.tasks.get(task) if isinstance(task, str) else None
        hard, soft = (getattr(registered, limit, UNKNOWN) for limit in ("time_limit", "soft_time_limit"))
        yield ScheduleFacts(
            entry=str(name),
            where=where,
            task=task if isinstance(task, str) else UNKNOWN,
            registered=registered is not None,
            period_s=period_s(_member(entry, "schedule")),
            task_time_limit=hard,
            expires_s=seconds(options.get("expires", ABSENT)),
            task_expires_s=seconds(registered.expires) if registered is not None else UNKNOWN,
            args_problem=_args_problem(registered, _member(entry, "args"), _member(entry, "kwargs")),
            unknown_keys=tuple(sorted(str(key) for key in entry if key not in _KEYS))
            if isinstance(entry, dict)
            else (),
        )
        if isinstance(task, str):
            yield CallFacts(
                task=task,
                where=where,
                time_limit=options.get("time_limit", ABSENT),
                soft_time_limit=options.get("soft_time_limit", ABSENT),
                task_time_limit=hard,
                task_soft_time_limit=soft,
                serializer=options.get("serializer", ABSENT),
                retries=options.get("retries", ABSENT),
                unknown_options=unknown_call_options({str(key): value for key, value in options.items()}),
                delay_s=seconds(options.get("countdown", ABSENT)),
                expires_s=seconds(options.get("expires", ABSENT)),
            )


def _args_problem(task: Any, args: Any, kwargs: Any) -> str | Unknown | None:
    """As ``Task.apply_async`` would find out (celery/app/task.py, ``typing``)."""
    check = getattr(task, "__header__", None)
    if check is None:
        return UNKNOWN
    try:
        check(*(args or ()), **(kwargs or {}))
    except TypeError as error:
        return str(error)
    return None


def period_s(value: Any) -> object:
    """Seconds between two runs, the shortest gap of a crontab; UNKNOWN for what follows the sun or code of its own."""
    if isinstance(value, crontab):
        return _shortest_gap(value)
    if type(value) is schedule:
        value = value.run_every
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value if isinstance(value, int | float) and not isinstance(value, bool) else UNKNOWN


def _shortest_gap(cron: crontab) -> object:
    days = [
        day
        for day in _FOUR_YEARS
        if day.month in cron.month_of_year and day.day in cron.day_of_month and day.isoweekday() % 7 in cron.day_of_week
    ]
    times = sorted(hour * 3600 + minute * 60 for hour in cron.hour for minute in cron.minute)
    if not days or not times:
        return UNKNOWN
    gaps = [later - earlier for earlier, later in pairwise(times)]
    # From the last time of one day to the first of the next day on which it runs.
    apart = min(((later - earlier).days for earlier, later in pairwise(days)), default=1461)
    return min([*gaps, apart * _DAY + times[0] - times[-1]])


def names_hours(app: Celery) -> bool:
    """Some crontab of the schedule names an hour, a day or a month."""
    entries = app.conf.beat_schedule
    schedules = [_member(entry, "schedule") for entry in entries.values()] if isinstance(entries, dict) else []
    fields = ("hour", "day_of_week", "day_of_month", "month_of_year")
    return any(
        isinstance(value, crontab) and any(getattr(value, f"_orig_{name}", "*") != "*" for name in fields)
        for value in schedules
    )


def _member(entry: Any, name: str) -> Any:
    """Of a dictionary, or of a ScheduleEntry."""
    return entry.get(name) if isinstance(entry, dict) else getattr(entry, name, None)
