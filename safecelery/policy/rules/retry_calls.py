"""6xx, retries that the task's own code makes or should make."""

from __future__ import annotations

from safecelery.policy.facts import ABSENT, UNKNOWN, CodeFacts, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, is_duration, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.rules.code import no_place_of_kind

__all__ = ["RULES"]


def _delay_usable(task: TaskFacts, _: Limits) -> Verdict:
    delay = task.default_retry_delay
    if delay is UNKNOWN:
        return unreadable("default_retry_delay")
    return PASS if delay is ABSENT or is_duration(delay) else Fail(f"default_retry_delay is {shown(delay)}")


def _delay_within(task: TaskFacts, limits: Limits) -> Verdict:
    delay, most = task.default_retry_delay, limits.max_retry_backoff_s
    if delay is UNKNOWN:
        return unreadable("default_retry_delay")
    if is_duration(delay) and delay > most:
        return Fail(f"default_retry_delay is {shown(delay)}, the policy allows {shown(most)}")
    return PASS


def _io_retried(task: TaskFacts, _: Limits) -> Verdict:
    if task.does_io is False or (task.autoretry_for is not UNKNOWN and task.autoretry_for):
        return PASS
    return first_unknown(the_tasks_code=task.does_io, autoretry_for=task.autoretry_for) or Fail(
        "autoretry_for is empty"
    )


RULES = (
    Rule(
        code="SFC620",
        name="retry-delay-not-a-duration",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_delay_usable,
        message="retries at once, without a wait between two attempts",
        fix="state default_retry_delay=SECONDS, or leave it out (180)",
    ),
    Rule(
        code="SFC621",
        name="retry-delay-too-long",
        subject=TaskFacts,
        severity=Severity.LOW,
        check=_delay_within,
        message="waits longer before a retry than the policy allows",
        fix="lower default_retry_delay",
    ),
    Rule(
        code="SFC622",
        name="io-without-retries",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_io_retried,
        message="talks to another machine and gives up at the first failure",
        fix="add autoretry_for=(ConnectionError, TimeoutError), retry_backoff=True, and a max_retries that fits",
    ),
    Rule(
        code="SFC623",
        name="retry-swallowed",
        subject=CodeFacts,
        severity=Severity.HIGH,
        check=no_place_of_kind("retry-swallowed"),
        message="catches the exception by which self.retry ends the run, so the retry runs beside the rest of the task",
        fix="call self.retry in the except clause, not in the try body; or 'except Retry: raise' first",
    ),
    Rule(
        code="SFC624",
        name="retry-without-exc",
        subject=CodeFacts,
        severity=Severity.LOW,
        check=no_place_of_kind("retry-without-exc"),
        message="hides its cause: after the last retry it fails with MaxRetriesExceededError",
        fix="raise self.retry(exc=error)",
    ),
    Rule(
        code="SFC625",
        name="retry-goes-on",
        subject=CodeFacts,
        severity=Severity.HIGH,
        check=no_place_of_kind("retry-goes-on"),
        message="sends a retry and carries on, so the work is done now and once more later",
        fix="raise self.retry(...) and leave throw out",
    ),
    Rule(
        code="SFC626",
        name="retry-at-a-fixed-pace",
        subject=CodeFacts,
        severity=Severity.LOW,
        check=no_place_of_kind("retry-fixed-countdown"),
        message="retries at a fixed pace, in step with every other task that failed",
        fix="let countdown grow with self.request.retries and add chance, or use autoretry_for with retry_backoff",
    ),
)
