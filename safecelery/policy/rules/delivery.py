"""5xx: delivery. A message is given up only when its work is done, and never comes back without bound."""

from __future__ import annotations

import math

from safecelery.policy.facts import ABSENT, UNKNOWN, CallFacts, CodeFacts, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, is_duration, is_on, must_be_true, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.rules.code import no_place_of_kind

__all__ = ["RULES"]


def _acks_late(task: TaskFacts, _: Limits) -> Verdict:
    return must_be_true("acks_late", task.acks_late)


def _reject_on_worker_lost(task: TaskFacts, _: Limits) -> Verdict:
    if _is_off(task.acks_late):
        return PASS  # the message is gone before the task runs, which has a rule of its own
    verdict = must_be_true("reject_on_worker_lost", task.reject_on_worker_lost)
    return verdict if verdict is PASS else first_unknown(acks_late=task.acks_late) or verdict


def _retry_on_worker_lost(task: TaskFacts, _: Limits) -> Verdict:
    if _is_off(task.acks_late) or _is_off(task.reject_on_worker_lost):
        return PASS  # it does not come back at all
    verdict = must_be_true("retry_on_worker_lost", task.retry_on_worker_lost)
    if verdict is PASS:
        return PASS
    return first_unknown(acks_late=task.acks_late, reject_on_worker_lost=task.reject_on_worker_lost) or verdict


def _is_off(flag: object) -> bool:
    """Known, and not on."""
    return flag is not UNKNOWN and not is_on(flag)


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


def _call_expires(call: CallFacts, _: Limits) -> Verdict:
    expires, delay = call.expires_s, call.delay_s
    if expires is ABSENT or expires is None:
        return PASS
    if isinstance(expires, int | float) and not isinstance(expires, bool) and expires <= 0:
        return Fail(f"it expires after {shown(expires)} s")
    if (delay is not UNKNOWN and not is_duration(delay)) or (expires is not UNKNOWN and not is_duration(expires)):
        return unreadable("expires") if expires is UNKNOWN else PASS
    unread = first_unknown(expires=expires, delay=delay)
    if unread is not None:
        return unread
    if is_duration(expires) and is_duration(delay) and expires <= delay:
        return Fail(f"it expires after {shown(expires)} s and is due after {shown(delay)} s")
    return PASS


def _timeout_acknowledged(task: TaskFacts, _: Limits) -> Verdict:
    flag, limit = task.acks_on_timeout, task.time_limit
    if is_on(flag) or (task.acks_late is not UNKNOWN and not is_on(task.acks_late)):
        return PASS
    if limit is not UNKNOWN and not is_duration(limit):  # without a hard limit nothing ends it so
        return PASS
    unread = first_unknown(acks_on_timeout=flag, acks_late=task.acks_late, time_limit=limit)
    return unread or Fail(f"acks_on_timeout is {shown(flag)}, time_limit {shown(limit)}")


RULES = (
    Rule(
        code="SFC501",
        name="early-acknowledgement",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_acks_late,
        message="is acknowledged before it runs, so a crash loses it",
        fix="set acks_late=True, and make the task safe to run twice",
    ),
    Rule(
        code="SFC502",
        name="lost-worker-loses-task",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_reject_on_worker_lost,
        message="is acknowledged when its worker process dies",
        fix="set reject_on_worker_lost=True",
    ),
    Rule(
        code="SFC503",
        name="lost-worker-loops",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_retry_on_worker_lost,
        message="comes back for ever if it kills its worker process each time",
        fix="set retry_on_worker_lost=True, so that such a death counts as a retry",
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
    Rule(
        code="SFC516",
        name="call-expires-before-it-is-due",
        subject=CallFacts,
        severity=Severity.HIGH,
        check=_call_expires,
        message="can never run, because it expires first",
        fix="let expires lie after countdown or eta; both count from the moment of the call",
    ),
    Rule(
        code="SFC517",
        name="timeout-loops",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_timeout_acknowledged,
        message="goes back to the queue whenever it reaches its hard time limit, and so runs for ever",
        fix="leave acks_on_timeout (or acks_on_failure_or_timeout) at True; retry what may pass with autoretry_for",
    ),
    Rule(
        code="SFC518",
        name="message-rejected-back",
        subject=CodeFacts,
        severity=Severity.HIGH,
        check=no_place_of_kind("reject-requeue"),
        message="puts its message back at once and without counting, so a failure that lasts becomes a busy loop",
        fix="raise self.retry(exc=error), which waits and counts; or Reject(requeue=False) to dead-letter it",
    ),
)
