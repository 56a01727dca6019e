"""4xx: time limits. Every task states both, in order, within the policy; no call loosens them; the pool enforces."""

from __future__ import annotations

from safecelery.policy.facts import ABSENT, UNKNOWN, AppFacts, CallFacts, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_duration, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.vocabulary import POOLS_ENFORCING_LIMITS

__all__ = ["RULES"]


def _stated(option: str, value: object, worker: str) -> Verdict:
    if value is UNKNOWN:
        return unreadable(option)
    if value is not None and value is not ABSENT:
        return PASS
    return Fail(f"{option} is not stated" + (f", and the worker started at {worker} sets none" if worker else ""))


def _hard_stated(task: TaskFacts, _: Limits) -> Verdict:
    return _stated("time_limit", task.time_limit, task.no_hard_limit_at)


def _soft_stated(task: TaskFacts, _: Limits) -> Verdict:
    return _stated("soft_time_limit", task.soft_time_limit, task.no_soft_limit_at)


def _are_durations(task: TaskFacts, _: Limits) -> Verdict:
    unread = []
    for option, value in (("time_limit", task.time_limit), ("soft_time_limit", task.soft_time_limit)):
        if value is UNKNOWN:
            unread.append(option)
        elif value is not None and value is not ABSENT and not is_duration(value):
            return Fail(f"{option} is {shown(value)}")
    return unreadable(*unread) if unread else PASS


def _in_order(task: TaskFacts, _: Limits) -> Verdict:
    return _ordered(task.time_limit, task.soft_time_limit)


def _ordered(hard: object, soft: object) -> Verdict:
    if is_duration(hard) and is_duration(soft):
        if soft < hard:
            return PASS
        return Fail(f"soft_time_limit is {shown(soft)}, time_limit is {shown(hard)}")
    unread = [name for name, value in (("time_limit", hard), ("soft_time_limit", soft)) if value is UNKNOWN]
    return unreadable(*unread) if unread else PASS  # limits that are missing or no durations have rules of their own


def _within(option: str, value: object, most: float) -> Verdict:
    if value is UNKNOWN:
        return unreadable(option)
    if is_duration(value) and value > most:
        return Fail(f"{option} is {shown(value)}, the policy allows {shown(most)}")
    return PASS


def _hard_within(task: TaskFacts, limits: Limits) -> Verdict:
    return _within("time_limit", task.time_limit, limits.max_time_limit_s)


def _soft_within(task: TaskFacts, limits: Limits) -> Verdict:
    return _within("soft_time_limit", task.soft_time_limit, limits.max_soft_time_limit_s)


def _call_raises(call: CallFacts, limits: Limits) -> Verdict:
    if call.time_limit is ABSENT and call.soft_time_limit is ABSENT:
        return PASS
    unread = []
    for option, asked, own, most in (
        ("time_limit", call.time_limit, call.task_time_limit, limits.max_time_limit_s),
        ("soft_time_limit", call.soft_time_limit, call.task_soft_time_limit, limits.max_soft_time_limit_s),
    ):
        if asked is ABSENT:
            continue
        if asked is UNKNOWN:
            unread.append(option)
        elif is_duration(asked):  # lifting a limit has a rule of its own
            ceiling = min(own, most) if is_duration(own) else most
            if asked > ceiling:
                return Fail(f"{option} is {shown(asked)}, the task or the policy allows {shown(ceiling)}")
            if own is UNKNOWN:
                unread.append(f"the task's {option}")
    return unreadable(*unread) if unread else PASS


def _call_lifts(call: CallFacts, _: Limits) -> Verdict:
    hard, soft = call.time_limit, call.soft_time_limit
    if (hard is ABSENT or is_duration(hard)) and (soft is ABSENT or is_duration(soft)):
        return PASS
    unread = []
    for option, asked in (("time_limit", hard), ("soft_time_limit", soft)):
        if asked is UNKNOWN:
            unread.append(option)
        elif asked is not ABSENT and not is_duration(asked):
            return Fail(f"{option} is {shown(asked)}")
    return unreadable(*unread) if unread else PASS


def _call_in_order(call: CallFacts, _: Limits) -> Verdict:
    if call.time_limit is ABSENT and call.soft_time_limit is ABSENT:
        return PASS
    hard = call.task_time_limit if call.time_limit is ABSENT else call.time_limit
    soft = call.task_soft_time_limit if call.soft_time_limit is ABSENT else call.soft_time_limit
    return _ordered(hard, soft)


def _pool(app: AppFacts, _: Limits) -> Verdict:
    if app.worker_pool is UNKNOWN:
        return unreadable("the worker pool")
    if app.worker_pool not in POOLS_ENFORCING_LIMITS:
        return Fail(f"the pool is {shown(app.worker_pool)}")
    return PASS


def _pool_allowed(app: AppFacts, limits: Limits) -> Verdict:
    if app.worker_pool is UNKNOWN:
        return unreadable("the worker pool")
    if app.worker_pool not in limits.allowed_pools:
        return Fail(f"the pool is {shown(app.worker_pool)}, the policy allows {', '.join(limits.allowed_pools)}")
    return PASS


RULES = (
    Rule(
        code="SFC401",
        name="hard-time-limit-missing",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_hard_stated,
        message="has no hard time limit, so it may hang for ever",
        fix="state time_limit=SECONDS on the task",
    ),
    Rule(
        code="SFC402",
        name="soft-time-limit-missing",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_soft_stated,
        message="has no soft time limit, so it gets no chance to clean up before it is killed",
        fix="state soft_time_limit=SECONDS on the task, less than time_limit",
    ),
    Rule(
        code="SFC403",
        name="time-limit-not-a-duration",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_are_durations,
        message="has a time limit that is not a positive, finite number of seconds",
        fix="state a number of seconds greater than zero; booleans, infinity and text are none",
    ),
    Rule(
        code="SFC404",
        name="time-limits-out-of-order",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_in_order,
        message="is killed before or as its soft time limit warns it",
        fix="make soft_time_limit less than time_limit",
    ),
    Rule(
        code="SFC405",
        name="hard-time-limit-too-high",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_hard_within,
        message="may run longer than the policy allows",
        fix="split the work into shorter tasks, or lower time_limit",
    ),
    Rule(
        code="SFC406",
        name="soft-time-limit-too-high",
        subject=TaskFacts,
        severity=Severity.LOW,
        check=_soft_within,
        message="is warned later than the policy allows",
        fix="split the work into shorter tasks, or lower soft_time_limit",
    ),
    Rule(
        code="SFC407",
        name="call-raises-time-limit",
        subject=CallFacts,
        severity=Severity.HIGH,
        check=_call_raises,
        message="is called with a higher time limit than its own",
        fix="raise the limit on the task, within the policy; a call may only lower it",
    ),
    Rule(
        code="SFC408",
        name="call-lifts-time-limit",
        subject=CallFacts,
        severity=Severity.HIGH,
        check=_call_lifts,
        message="is called with a time limit that is not a positive, finite number of seconds",
        fix="leave the option out to keep the task's limit; None and 0 would lift it",
    ),
    Rule(
        code="SFC409",
        name="call-time-limits-out-of-order",
        subject=CallFacts,
        severity=Severity.LOW,
        check=_call_in_order,
        message="is called so that it is killed before or as its soft time limit warns it",
        fix="lower soft_time_limit together with time_limit",
    ),
    Rule(
        code="SFC410",
        name="pool-ignores-time-limits",
        subject=AppFacts,
        severity=Severity.HIGH,
        check=_pool,
        message="runs tasks in a pool that does not enforce time limits",
        fix="use the prefork pool",
    ),
    Rule(
        code="SFC411",
        name="pool-not-allowed",
        subject=AppFacts,
        severity=Severity.MEDIUM,
        check=_pool_allowed,
        message="runs tasks in a pool the policy does not allow",
        fix="use one of the policy's allowed_pools",
    ),
)
