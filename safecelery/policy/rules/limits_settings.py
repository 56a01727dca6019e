"""4xx: time limits in the settings, in calls of remote control, and against the rhythm of beat.

Since Celery 5.7 the settings are copied to each task that states no limit of its own (celery/app/task.py,
``Task.from_config``); before, the worker's pool applied them. limits.py judges what comes of it for each task. These
rules are about what only the settings decide: Celery's built-in tasks, those of packages, and values that are none.
"""

from __future__ import annotations

from typing import Final

from safecelery.policy.facts import ABSENT, UNKNOWN, ScheduleFacts, SettingsFacts, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_duration, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.rules.task_place import place_rule
from safecelery.policy.settings_reading import setting, stated

__all__ = ["RULES"]

_HARD: Final = "task_time_limit"
_SOFT: Final = "task_soft_time_limit"
_MISTAKEN: Final = {
    "task_time_limit": "time_limit",
    "task_soft_time_limit": "soft_time_limit",
    "hard_time_limit": "time_limit",
    "task_hard_time_limit": "time_limit",
    "timelimit": "time_limit",
    "timeout": "time_limit",
    "task_timeout": "time_limit",
    "soft_timeout": "soft_time_limit",
    "soft_limit": "soft_time_limit",
    "softtimelimit": "soft_time_limit",
}


def _no_default(facts: SettingsFacts, _: Limits) -> Verdict:
    value = setting(facts, _HARD)
    if facts.commands_limit is True:
        return PASS
    if value is UNKNOWN:
        return unreadable(_HARD)
    return Fail(f"{_HARD} is not stated") if value is None else PASS


def _no_duration(facts: SettingsFacts, _: Limits) -> Verdict:
    for name in (_HARD, _SOFT):
        value = stated(facts, name)
        if value not in (None, ABSENT, UNKNOWN) and not is_duration(value):
            return Fail(f"{name} is {shown(value)}")
    return PASS  # an unreadable value makes the limits of tasks unknown, which their own rules say


def _out_of_order(facts: SettingsFacts, _: Limits) -> Verdict:
    hard, soft = setting(facts, _HARD), setting(facts, _SOFT)
    if is_duration(hard) and is_duration(soft) and soft >= hard:
        return Fail(f"{_SOFT} is {shown(soft)}, {_HARD} is {shown(hard)}")
    return PASS


def _mistaken_option(task: TaskFacts, _: Limits) -> Verdict:
    if task.unknown_options is UNKNOWN:
        return unreadable("the list of options")
    found = [name for name in task.unknown_options if isinstance(name, str) and name.lower() in _MISTAKEN]
    # A wrapper that reads an option of its own makes it known; one that hands it on has set the limit.
    missing = [name for name in found if not is_duration(getattr(task, _MISTAKEN[name.lower()]))]
    if not missing:
        return PASS
    return Fail(f"{missing[0]} is stated; the option is called {_MISTAKEN[missing[0].lower()]}")


def _overlapping(entry: ScheduleFacts, _: Limits) -> Verdict:
    period, limit = entry.period_s, entry.task_time_limit
    if limit is UNKNOWN or period is UNKNOWN:
        return unreadable("the schedule" if period is UNKNOWN else "the task's time_limit")
    if is_duration(period) and is_duration(limit) and period < limit:
        return Fail(f"it is sent every {shown(period)} s, a run may take {shown(limit)} s")
    return PASS  # a task without a limit has a rule of its own


def _every_minute(entry: ScheduleFacts, _: Limits) -> Verdict:
    stated = entry.crontab
    if stated is ABSENT:
        return PASS
    if stated is UNKNOWN:
        return unreadable("the schedule")
    if not isinstance(stated, tuple) or not stated or "minute" in stated:
        return PASS  # crontab() without any argument says "every minute" and means it
    return Fail(f"crontab({', '.join(f'{name}=...' for name in stated)}) leaves minute at '*'")


RULES = (
    Rule(
        code="SFC412",
        name="default-time-limit-missing",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_no_default,
        message="sets no time limit for tasks that state none: Celery's own and those of packages",
        fix="set task_time_limit, and a lower task_soft_time_limit",
    ),
    Rule(
        code="SFC413",
        name="default-time-limit-not-a-duration",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_no_duration,
        message="sets a time limit that is not a positive, finite number of seconds",
        fix="state a number of seconds greater than zero; 0 means no limit",
    ),
    Rule(
        code="SFC414",
        name="default-time-limits-out-of-order",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_out_of_order,
        message="kills tasks before or as the soft time limit warns them",
        fix="make task_soft_time_limit less than task_time_limit",
    ),
    Rule(
        code="SFC415",
        name="time-limit-under-another-name",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_mistaken_option,
        message="states a time limit under a name that nobody reads, so it has none",
        fix="call the option time_limit or soft_time_limit; the names with task_ are settings",
    ),
    place_rule(
        "SFC416",
        "time-limit-changed-by-remote-control",
        Severity.MEDIUM,
        "changes a task's time limits in running workers, where no review and no restart keeps them",
        "state the limits on the task; a limit left out of the call is lifted",
    ),
    place_rule(
        "SFC417",
        "soft-limit-signal-taken",
        Severity.HIGH,
        "takes the signal that the prefork pool announces the soft time limit with",
        "use another signal than SIGUSR1",
    ),
    Rule(
        code="SFC418",
        name="schedule-overlaps-itself",
        subject=ScheduleFacts,
        severity=Severity.MEDIUM,
        check=_overlapping,
        message="is sent again while the run before may still be going on",
        fix="lower the task's time_limit below the period, or send it less often, or let it take a lock",
    ),
    Rule(
        code="SFC419",
        name="crontab-minute-left-open",
        subject=ScheduleFacts,
        severity=Severity.HIGH,
        check=_every_minute,
        message="is sent in every minute of the time it names",
        fix="state minute=0 beside hour, day or month",
    ),
)
