"""6xx, automatic retries: what they are asked to catch, and options that do not do what their names say
(celery/app/autoretry.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from safecelery.policy.facts import ABSENT, UNKNOWN, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, is_duration, is_on, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.rules.waits import backs_off, total_wait
from safecelery.policy.vocabulary import CALL_OPTIONS

__all__ = ["RULES"]

_ROOTS = {"BaseException", "KeyboardInterrupt", "SystemExit", "GeneratorExit"}
_NEVER_SEEN = {"TimeLimitExceeded", "WorkerLostError", "Terminated", "Ignore", "Retry"}
_ENDS_THE_RUN = {"SoftTimeLimitExceeded", "Reject"}
_CELERYS = ("celery.", "billiard.")


def _celerys(name: str, wanted: set[str]) -> bool:
    # celery.exceptions and billiard.exceptions hold the same classes; "builtins.Retry" would be somebody else's.
    return name.startswith(_CELERYS) and name.rpartition(".")[2] in wanted


def _naming(task: TaskFacts, wanted: set[str], *, builtin: bool) -> Verdict:
    """Fail if autoretry_for names one of these."""
    names = task.autoretry_for
    if names is UNKNOWN:
        return unreadable("autoretry_for")
    known = [name for name in names if isinstance(name, str)]
    if builtin:
        met = [name for name in known if name.removeprefix("builtins.") in wanted]
    else:
        met = [name for name in known if _celerys(name, wanted)]
    if met:
        return Fail("autoretry_for names " + ", ".join(name.rpartition(".")[2] for name in met))
    return PASS if len(known) == len(names) else unreadable("an exception in autoretry_for")


def _everything(task: TaskFacts, _: Limits) -> Verdict:
    return _naming(task, {"Exception"}, builtin=True)


def _roots(task: TaskFacts, _: Limits) -> Verdict:
    return _naming(task, _ROOTS, builtin=True)


def _never_seen(task: TaskFacts, _: Limits) -> Verdict:
    return _naming(task, _NEVER_SEEN, builtin=False)


def _ends_the_run(task: TaskFacts, _: Limits) -> Verdict:
    return _naming(task, _ENDS_THE_RUN, builtin=False)


def _have_effect(task: TaskFacts, _: Limits) -> Verdict:
    if task.autoretry_for is not UNKNOWN and task.autoretry_for:
        return PASS
    stated = [
        name
        for name, value in (("retry_kwargs", task.retry_kwargs), ("dont_autoretry_for", task.dont_autoretry_for))
        if value is not UNKNOWN and isinstance(value, Mapping | tuple) and value
    ]
    if stated and task.autoretry_for is not UNKNOWN:
        return Fail(f"{' and '.join(stated)} without autoretry_for")
    unread = first_unknown(retry_kwargs=task.retry_kwargs, dont_autoretry_for=task.dont_autoretry_for)
    if not stated:
        return unread or PASS
    return unreadable("autoretry_for")


_RETRY_ARGUMENTS = {"args", "kwargs", "exc", "throw", "eta", "countdown", "max_retries"}


def _retry_kwargs_known(task: TaskFacts, _: Limits) -> Verdict:
    if task.retry_kwargs is UNKNOWN:
        return unreadable("retry_kwargs")
    keys = task.retry_kwargs if isinstance(task.retry_kwargs, Mapping) else ()
    strange = [str(key) for key in keys if key not in _RETRY_ARGUMENTS and key not in CALL_OPTIONS]
    return Fail(", ".join(f"{key!r}{_belongs(key)}" for key in strange)) if strange else PASS


def _belongs(key: str) -> str:
    if key in {"retry_jitter", "retry_backoff", "retry_backoff_max", "autoretry_for", "default_retry_delay"}:
        return " belongs beside retry_kwargs, on the task"
    near = {
        "max_retry": "max_retries",
        "delay": "countdown",
        "interval_start": "countdown",
        "jitter": "retry_jitter on the task",
        "backoff": "retry_backoff on the task",
    }.get(key)
    return f" (did you mean {near}?)" if near else ""


def _countdown_kept(task: TaskFacts, _: Limits) -> Verdict:
    stated = task.retry_kwargs.get("countdown", ABSENT) if isinstance(task.retry_kwargs, Mapping) else ABSENT
    if task.autoretry_for == () or (task.retry_kwargs is not UNKNOWN and stated is ABSENT):
        return PASS
    if task.retry_backoff is not UNKNOWN and not backs_off(task.retry_backoff):
        return PASS
    unread = first_unknown(
        autoretry_for=task.autoretry_for, retry_kwargs=task.retry_kwargs, retry_backoff=task.retry_backoff
    )
    return unread or Fail(f"countdown is {shown(stated)}, retry_backoff {shown(task.retry_backoff)}")


def _ever_retries(task: TaskFacts, _: Limits) -> Verdict:
    most = task.max_retries
    never = isinstance(most, int) and not isinstance(most, bool) and most == 0
    if task.autoretry_for == () or (most is not UNKNOWN and not never):
        return PASS
    return first_unknown(autoretry_for=task.autoretry_for, max_retries=most) or Fail("max_retries is 0")


def _within_expiry(task: TaskFacts, _: Limits) -> Verdict:
    expires = task.expires_s
    if expires is None or expires is ABSENT or (expires is not UNKNOWN and not is_duration(expires)):
        return PASS
    total = total_wait(task)
    if total is None:
        return PASS
    unread = first_unknown(expires=expires, the_retries=total, retry_jitter=task.retry_jitter)
    if unread is not None:
        return unread
    if is_duration(total) and is_duration(expires):
        likely = total // 2 if is_on(task.retry_jitter) and isinstance(total, int) else total
        if likely > expires:
            return Fail(f"the waits come to {shown(likely)} s, expires is {shown(expires)} s")
    return PASS


def _factor(task: TaskFacts, _: Limits) -> Verdict:
    factor, most = task.retry_backoff, task.retry_backoff_max
    if task.autoretry_for == () or (factor is not UNKNOWN and (factor is True or not is_duration(factor))):
        return PASS
    if most is not UNKNOWN and not is_duration(most):  # SFC606
        return PASS
    unread = first_unknown(autoretry_for=task.autoretry_for, retry_backoff=factor, retry_backoff_max=most)
    if unread is not None:
        return unread
    if is_duration(factor) and is_duration(most) and factor >= most:
        return Fail(f"retry_backoff is {shown(factor)}, retry_backoff_max {shown(most)}")
    return PASS


RULES = (
    Rule(
        code="SFC610",
        name="autoretry-for-everything",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_everything,
        message="retries every error, programming mistakes, its own soft time limit and Reject included",
        fix="name the errors that pass by themselves: ConnectionError, TimeoutError, the client library's own",
    ),
    Rule(
        code="SFC611",
        name="autoretry-for-exit",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_roots,
        message="retries when its process is told to stop, so a shutdown becomes another run",
        fix="name errors below Exception",
    ),
    Rule(
        code="SFC612",
        name="autoretry-never-sees-it",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_never_seen,
        message="waits for an error that never reaches it",
        fix="remove it; a soft limit, or acks_late with reject_on_worker_lost, covers a task that was killed",
    ),
    Rule(
        code="SFC613",
        name="autoretry-of-a-verdict",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_ends_the_run,
        message="starts over after it ran out of time or rejected its message",
        fix="take SoftTimeLimitExceeded and Reject out of autoretry_for; cut a task that is too long into pieces",
    ),
    Rule(
        code="SFC614",
        name="retry-options-without-autoretry",
        subject=TaskFacts,
        severity=Severity.LOW,
        check=_have_effect,
        message="states how to retry, but Celery reads that only in automatic retries",
        fix="name the exceptions in autoretry_for, or remove the options",
    ),
    Rule(
        code="SFC615",
        name="retry-kwargs-unknown",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_retry_kwargs_known,
        message="has a key in retry_kwargs that Task.retry does not read",
        fix="keep max_retries and countdown there; retry_backoff and retry_jitter are options of the task itself",
    ),
    Rule(
        code="SFC616",
        name="retry-countdown-overwritten",
        subject=TaskFacts,
        severity=Severity.LOW,
        check=_countdown_kept,
        message="states a countdown in retry_kwargs that backoff overwrites",
        fix="remove the countdown, or say retry_backoff=SECONDS to begin with that wait",
    ),
    Rule(
        code="SFC617",
        name="autoretry-of-zero-times",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_ever_retries,
        message="names errors to retry and allows no retry",
        fix="state max_retries=COUNT, or remove autoretry_for",
    ),
    Rule(
        code="SFC618",
        name="retries-outlive-expiry",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_within_expiry,
        message="expires before its last retries are due; they are thrown away as revoked",
        fix="raise expires, or lower max_retries or retry_backoff_max",
    ),
    Rule(
        code="SFC619",
        name="backoff-does-not-grow",
        subject=TaskFacts,
        severity=Severity.LOW,
        check=_factor,
        message="begins with the longest wait it may have, so nothing backs off",
        fix="lower retry_backoff to the first wait (True is one second), or raise retry_backoff_max",
    ),
)
