"""5xx, the visibility timeout: Redis and SQS take a message that is not acknowledged in time for lost, and deliver it
again while the first copy is still waiting or running. Measured on Redis with 5 s: a task of 14 s ran three times, a
countdown of 16 s four times.
"""

from __future__ import annotations

from safecelery.policy.broker import visibility_timeout
from safecelery.policy.facts import ABSENT, UNKNOWN, CallFacts, SettingsFacts, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, is_duration, is_on, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.rules.waits import longest_wait

__all__ = ["RULES"]

_SHORTEST_S = 60  # a reconnect, a slow child or a full prefetch window take this long on an ordinary day


def _long_enough(settings: SettingsFacts, _: Limits) -> Verdict:
    timeout = visibility_timeout(settings)
    if timeout is ABSENT:
        return PASS
    if timeout is UNKNOWN:
        return unreadable("the broker and its visibility_timeout")
    if is_duration(timeout) and timeout >= _SHORTEST_S:
        return PASS
    return Fail(f"visibility_timeout is {shown(timeout)}")


def _limit(task: TaskFacts, _: Limits) -> Verdict:
    timeout, limit = task.visibility_timeout_s, task.time_limit
    if timeout is ABSENT or (task.acks_late is not UNKNOWN and not is_on(task.acks_late)):
        return PASS
    if limit is not UNKNOWN and not is_duration(limit):  # SFC401 and SFC403 speak of that
        return PASS
    unread = first_unknown(acks_late=task.acks_late, time_limit=limit, visibility_timeout=timeout)
    if unread is not None:
        return unread
    if is_duration(timeout) and is_duration(limit) and limit >= timeout:
        return Fail(f"time_limit is {shown(limit)}, visibility_timeout {shown(timeout)}")
    return PASS


def _call(call: CallFacts, _: Limits) -> Verdict:
    delay, timeout = call.delay_s, call.visibility_timeout_s
    if delay is ABSENT or timeout is ABSENT or (delay is not UNKNOWN and not is_duration(delay)):
        return PASS
    unread = first_unknown(delay=delay, visibility_timeout=timeout)
    if unread is not None:
        return unread
    if is_duration(timeout) and is_duration(delay) and delay >= timeout:
        return Fail(f"the delay is {shown(delay)} s, visibility_timeout {shown(timeout)}")
    return PASS


def _retry(task: TaskFacts, _: Limits) -> Verdict:
    timeout, own = task.visibility_timeout_s, task.default_retry_delay
    if timeout is ABSENT:
        return PASS
    if timeout is UNKNOWN:
        return unreadable("visibility_timeout")
    if not is_duration(timeout):
        return PASS
    if is_duration(own) and own >= timeout:
        return Fail(f"default_retry_delay is {shown(own)}, visibility_timeout {shown(timeout)}")
    wait = longest_wait(task)
    if wait is UNKNOWN or own is UNKNOWN:
        return unreadable("the wait before a retry")
    if is_duration(wait) and wait >= timeout:
        return Fail(f"the longest wait before a retry is {shown(wait)} s, visibility_timeout {shown(timeout)}")
    return PASS


RULES = (
    Rule(
        code="SFC505",
        name="visibility-timeout-too-short",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_long_enough,
        message="gives the broker a visibility timeout under which ordinary tasks run twice",
        fix="set broker_transport_options['visibility_timeout'] above the longest time limit plus the longest delay",
    ),
    Rule(
        code="SFC506",
        name="limit-beyond-visibility-timeout",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_limit,
        message="may run longer than the broker waits for its acknowledgement, and is then started a second time",
        fix="raise broker_transport_options['visibility_timeout'] above time_limit, or lower time_limit",
    ),
    Rule(
        code="SFC507",
        name="call-beyond-visibility-timeout",
        subject=CallFacts,
        severity=Severity.HIGH,
        check=_call,
        message="is scheduled further ahead than the broker waits, and runs once for every time it gave up waiting",
        fix="keep the due time in a database and let beat send it, or raise visibility_timeout above the delay",
    ),
    Rule(
        code="SFC508",
        name="retry-beyond-visibility-timeout",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_retry,
        message="may wait for a retry longer than the broker waits, and is then retried more than once",
        fix="lower retry_backoff_max or default_retry_delay below the visibility timeout",
    ),
)
