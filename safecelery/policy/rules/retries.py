"""6xx: retries. Bounded in number, spread out in time.

Backoff and jitter only mean something where Celery retries by itself (``autoretry_for``, celery/app/autoretry.py), so
their rules are silent on a task that does not ask for that.
"""

from __future__ import annotations

from safecelery.policy.facts import ABSENT, UNKNOWN, CallFacts, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_count, is_duration, must_be_true, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict

__all__ = ["RULES"]


def _if_autoretry(task: TaskFacts, verdict: Verdict) -> Verdict:
    """The verdict, unless the task does not retry by itself."""
    if task.autoretry_for == () or verdict is PASS:
        return PASS
    if task.autoretry_for is UNKNOWN and isinstance(verdict, Fail):
        return Undecided(f"{verdict.detail}, and autoretry_for cannot be determined")
    return verdict


def _backs_off(value: object) -> bool:
    # Celery reads it as float(value): True is one second, a number is a factor (celery/app/autoretry.py).
    return value is True or is_duration(value)


def _bounded(task: TaskFacts, _: Limits) -> Verdict:
    if task.max_retries is UNKNOWN:
        return unreadable("max_retries")
    return Fail("max_retries is None") if task.max_retries is None else PASS


def _is_a_count(task: TaskFacts, _: Limits) -> Verdict:
    if task.max_retries is UNKNOWN:
        return unreadable("max_retries")
    if task.max_retries is None or is_count(task.max_retries):  # None has a rule of its own
        return PASS
    return Fail(f"max_retries is {shown(task.max_retries)}")


def _within(task: TaskFacts, limits: Limits) -> Verdict:
    if task.max_retries is UNKNOWN:
        return unreadable("max_retries")
    if is_count(task.max_retries) and task.max_retries > limits.max_retries:
        return Fail(f"max_retries is {shown(task.max_retries)}, the policy allows {shown(limits.max_retries)}")
    return PASS


def _backoff(task: TaskFacts, _: Limits) -> Verdict:
    value = task.retry_backoff
    if _backs_off(value):
        return PASS
    verdict = unreadable("retry_backoff") if value is UNKNOWN else Fail(f"retry_backoff is {shown(value)}")
    return _if_autoretry(task, verdict)


def _jitter(task: TaskFacts, _: Limits) -> Verdict:
    return _if_autoretry(task, must_be_true("retry_jitter", task.retry_jitter))


def _backoff_max(task: TaskFacts, _: Limits) -> Verdict:
    value = task.retry_backoff_max
    if is_duration(value):
        return PASS
    verdict = unreadable("retry_backoff_max") if value is UNKNOWN else Fail(f"retry_backoff_max is {shown(value)}")
    return _if_autoretry(task, verdict)


def _backoff_max_within(task: TaskFacts, limits: Limits) -> Verdict:
    value, most = task.retry_backoff_max, limits.max_retry_backoff_s
    if value is UNKNOWN:
        return _if_autoretry(task, unreadable("retry_backoff_max"))
    if is_duration(value) and value > most:
        return _if_autoretry(task, Fail(f"retry_backoff_max is {shown(value)}, the policy allows {shown(most)}"))
    return PASS


def _backoff_has_effect(task: TaskFacts, _: Limits) -> Verdict:
    unread = [
        option
        for option, value in (("autoretry_for", task.autoretry_for), ("retry_backoff", task.retry_backoff))
        if value is UNKNOWN
    ]
    if (task.autoretry_for is not UNKNOWN and task.autoretry_for) or not (
        task.retry_backoff is UNKNOWN or _backs_off(task.retry_backoff)
    ):
        return PASS
    if unread:
        return unreadable(*unread)
    return Fail(f"retry_backoff is {shown(task.retry_backoff)}, autoretry_for is empty")


def _call_retries(call: CallFacts, limits: Limits) -> Verdict:
    asked = call.retries
    if asked is ABSENT or asked is None:
        return PASS
    if asked is UNKNOWN:
        return unreadable("retries")
    if is_count(asked) and asked <= limits.max_retries:
        return PASS
    return Fail(f"retries is {shown(asked)}, the policy allows 0 to {shown(limits.max_retries)}")


RULES = (
    Rule(
        code="SFC601",
        name="retries-unbounded",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_bounded,
        message="is retried for ever",
        fix="state max_retries=COUNT, or leave it out",
    ),
    Rule(
        code="SFC602",
        name="max-retries-not-a-count",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_is_a_count,
        message="has a max_retries that is not a whole number of zero or more",
        fix="state max_retries=COUNT; 0 means never",
    ),
    Rule(
        code="SFC603",
        name="max-retries-too-high",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_within,
        message="is retried more often than the policy allows",
        fix="lower max_retries; what still fails belongs into the dead-letter queue",
    ),
    Rule(
        code="SFC604",
        name="retry-backoff-off",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_backoff,
        message="is retried at a fixed pace, which keeps a struggling service down",
        fix="set retry_backoff=True, or a factor in seconds",
    ),
    Rule(
        code="SFC605",
        name="retry-jitter-off",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_jitter,
        message="is retried in step with every other failed task",
        fix="set retry_jitter=True, or leave it out",
    ),
    Rule(
        code="SFC606",
        name="retry-backoff-unbounded",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_backoff_max,
        message="has no usable upper bound on the wait between retries",
        fix="state retry_backoff_max=SECONDS, or leave it out",
    ),
    Rule(
        code="SFC607",
        name="retry-backoff-too-long",
        subject=TaskFacts,
        severity=Severity.LOW,
        check=_backoff_max_within,
        message="may wait longer between retries than the policy allows",
        fix="lower retry_backoff_max",
    ),
    Rule(
        code="SFC608",
        name="backoff-without-autoretry",
        subject=TaskFacts,
        severity=Severity.LOW,
        check=_backoff_has_effect,
        message="asks for backoff, but Celery backs off only in automatic retries",
        fix="name the exceptions in autoretry_for, or say retry_backoff=False",
    ),
    Rule(
        code="SFC609",
        name="call-retries-out-of-range",
        subject=CallFacts,
        severity=Severity.MEDIUM,
        check=_call_retries,
        message="is called with a retry count no honest retry would have",
        fix="leave the retries option out; Celery counts by itself",
    ),
)
