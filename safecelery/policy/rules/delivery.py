"""5xx: delivery. A message is given up only when its work is done, and never comes back without bound."""

from __future__ import annotations

import math

from safecelery.policy.facts import ABSENT, UNKNOWN, CallFacts, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import must_be_true, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES"]


def _acks_late(task: TaskFacts, _: Limits) -> Verdict:
    return must_be_true("acks_late", task.acks_late)


def _reject_on_worker_lost(task: TaskFacts, _: Limits) -> Verdict:
    return must_be_true("reject_on_worker_lost", task.reject_on_worker_lost)


def _retry_on_worker_lost(task: TaskFacts, _: Limits) -> Verdict:
    return must_be_true("retry_on_worker_lost", task.retry_on_worker_lost)


def _call_delay(call: CallFacts, limits: Limits) -> Verdict:
    delay = call.delay_s
    if delay is ABSENT:
        return PASS
    if delay is UNKNOWN:
        return unreadable("the delay")
    if (
        isinstance(delay, bool)
        or not isinstance(delay, int | float)
        or (isinstance(delay, float) and math.isnan(delay))
    ):
        return Fail(f"the delay is {shown(delay)}, not a number of seconds")
    if delay > limits.max_eta_s:
        return Fail(f"the delay is {shown(delay)} s, the policy allows {shown(limits.max_eta_s)} s")
    return PASS  # a time in the past is due now


RULES = (
    Rule(
        code="SFC501",
        name="early-acknowledgement",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_acks_late,
        message="is acknowledged before it runs, so a crash loses it",
        fix="leave acks_late at True, and make the task safe to run twice",
    ),
    Rule(
        code="SFC502",
        name="lost-worker-loses-task",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_reject_on_worker_lost,
        message="is acknowledged when its worker process dies",
        fix="leave reject_on_worker_lost at True",
    ),
    Rule(
        code="SFC503",
        name="lost-worker-loops",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_retry_on_worker_lost,
        message="comes back for ever if it kills its worker process each time",
        fix="leave retry_on_worker_lost at True, so that such a death counts as a retry",
    ),
    Rule(
        code="SFC504",
        name="call-too-far-ahead",
        subject=CallFacts,
        severity=Severity.MEDIUM,
        check=_call_delay,
        message="is scheduled further ahead than the policy allows",
        fix="keep far-away work in a database and let beat send it when it is due",
    ),
)
