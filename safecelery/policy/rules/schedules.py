"""5xx and 9xx, what beat sends: entries that pile up, that beat cannot send, or that nobody would run."""

from __future__ import annotations

from safecelery.policy.facts import ABSENT, UNKNOWN, ScheduleFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, is_duration, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES"]

_FREQUENT_S = 600  # a queue that stands still for a night then holds fifty copies of the same work


def _expires(entry: ScheduleFacts, _: Limits) -> Verdict:
    period = entry.period_s
    if period is not UNKNOWN and not (is_duration(period) and period <= _FREQUENT_S):
        return PASS
    known = [value for value in (entry.expires_s, entry.task_expires_s) if value is not UNKNOWN]
    if any(value is not None and value is not ABSENT for value in known):
        return PASS
    unread = first_unknown(schedule=period, expires=entry.expires_s, the_tasks_expires=entry.task_expires_s)
    return unread or Fail(f"it is sent every {shown(period)} s and never expires")


def _period(entry: ScheduleFacts, _: Limits) -> Verdict:
    if entry.period_s is UNKNOWN:
        return unreadable("the schedule")
    number = isinstance(entry.period_s, int | float) and not isinstance(entry.period_s, bool)
    if number and not is_duration(entry.period_s):
        return Fail(f"the schedule is {shown(entry.period_s)} s")
    return PASS


def _registered(entry: ScheduleFacts, _: Limits) -> Verdict:
    if entry.registered is UNKNOWN:
        return unreadable("the task's name" if entry.task is UNKNOWN else "the list of tasks")
    return PASS if entry.registered is not False else Fail(f"no task is called {shown(entry.task)}")


def _arguments(entry: ScheduleFacts, _: Limits) -> Verdict:
    if entry.args_problem is UNKNOWN:
        return unreadable("the arguments")
    return Fail(entry.args_problem) if isinstance(entry.args_problem, str) else PASS


def _every_hour(entry: ScheduleFacts, _: Limits) -> Verdict:
    stated = entry.crontab
    if stated is ABSENT:
        return PASS
    if stated is UNKNOWN:
        return unreadable("the schedule")
    if not isinstance(stated, tuple) or "minute" not in stated or "hour" in stated:
        return PASS
    # Several minutes of each hour can only be meant; one minute of each hour of a day looks like one run a day.
    if not any(field in stated for field in _DAYS) or entry.period_s != _HOUR_S:
        return PASS
    return Fail(f"crontab({', '.join(f'{name}=...' for name in stated)}) leaves hour at '*'")


_DAYS = ("day_of_week", "day_of_month", "month_of_year")
_HOUR_S = 3600
_MEANT = {
    "arg": "args",
    "argument": "args",
    "arguments": "args",
    "kwarg": "kwargs",
    "countdown": "options",
    "exchange": "options",
    "expires": "options",
    "option": "options",
    "priority": "options",
    "queue": "options",
    "routing_key": "options",
    "interval": "schedule",
    "crontab": "schedule",
    "task_name": "task",
}


def _keys(entry: ScheduleFacts, _: Limits) -> Verdict:
    if entry.unknown_keys is UNKNOWN:
        return unreadable("the keys of the entry")
    if not isinstance(entry.unknown_keys, tuple) or not entry.unknown_keys:
        return PASS
    return Fail(", ".join(_key(str(key)) for key in entry.unknown_keys))


def _key(key: str) -> str:
    meant = _MEANT.get(key)
    if meant == "options":
        return f"{key!r} belongs into 'options'"
    return f"{key!r} (did you mean {meant!r}?)" if meant else repr(key)


RULES = (
    Rule(
        code="SFC420",
        name="crontab-hour-left-open",
        subject=ScheduleFacts,
        severity=Severity.MEDIUM,
        check=_every_hour,
        message="is sent in every hour of the days it names",
        fix="state the hour: crontab(minute=0, hour=3, day_of_week='mon'); hour='*' if every hour is meant",
    ),
    Rule(
        code="SFC519",
        name="schedule-piles-up",
        subject=ScheduleFacts,
        severity=Severity.MEDIUM,
        check=_expires,
        message="fills the queue with copies of the same work while no worker is reading",
        fix="add 'options': {'expires': SECONDS} to the entry, with about its period",
    ),
    Rule(
        code="SFC922",
        name="schedule-of-unknown-task",
        subject=ScheduleFacts,
        severity=Severity.HIGH,
        check=_registered,
        message="sends a task that nobody declares, and every worker throws it away",
        fix="correct the task's name: it is the full one, app.module.function, unless name= says otherwise",
    ),
    Rule(
        code="SFC923",
        name="schedule-arguments-do-not-fit",
        subject=ScheduleFacts,
        severity=Severity.HIGH,
        check=_arguments,
        message="sends arguments that the task does not take, so every run fails",
        fix="make args and kwargs fit the task's parameters",
    ),
    Rule(
        code="SFC924",
        name="schedule-entry-refused",
        subject=ScheduleFacts,
        severity=Severity.HIGH,
        check=_keys,
        message="has a key that beat does not know, and beat does not start with it",
        fix="use task, schedule, args, kwargs, options, relative; what apply_async takes belongs into options",
    ),
    Rule(
        code="SFC925",
        name="schedule-without-pause",
        subject=ScheduleFacts,
        severity=Severity.HIGH,
        check=_period,
        message="is due again at once, so beat sends it without pause",
        fix="state a schedule of more than zero seconds",
    ),
)
