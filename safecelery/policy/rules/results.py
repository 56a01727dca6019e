"""8xx: results. Kept for a while, for somebody, where that somebody can read them, and nowhere else."""

from __future__ import annotations

from typing import Final

from safecelery.policy.facts import ABSENT, UNKNOWN, SettingsFacts, Stated
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_count, is_duration, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict
from safecelery.policy.settings_reading import result_store, setting, stated

__all__ = ["RULES"]

_DAY: Final = 86_400
_LONGEST_DAYS: Final = 31
_NO_EXPIRY: Final = (None, 0, False)
_ONE_PROCESS: Final = ("cache+memory", "memory")
_REMOVED: Final = {"amqp": "rpc://", "amqps": "rpc://", "pyamqp": "rpc://"}
"""celery/app/backends.py, ``BACKEND_ALIASES``: the amqp result backend is gone since Celery 5."""
_OUTLIVES: Final = ("rpc", *_ONE_PROCESS)


def _never_expire(facts: SettingsFacts, _: Limits) -> Verdict:
    expires = setting(facts, "result_expires")
    if expires is not UNKNOWN and expires not in _NO_EXPIRY:
        return PASS
    kind = result_store(facts)
    if kind is None or (kind is not UNKNOWN and kind.startswith(_OUTLIVES)):
        return PASS
    if expires is UNKNOWN or kind is UNKNOWN:
        return unreadable("result_expires" if expires is UNKNOWN else "the result backend")
    return Fail(f"result_expires is {shown(expires)}")


def _kept_long(facts: SettingsFacts, _: Limits) -> Verdict:
    expires = setting(facts, "result_expires")
    if not is_duration(expires) or expires <= _LONGEST_DAYS * _DAY:
        return PASS  # missing and unreadable ones are SFC801's
    kind = result_store(facts)
    if kind is UNKNOWN:
        return unreadable("the result backend")
    return PASS if kind is None else Fail(f"result_expires is {shown(expires)} s, more than {_LONGEST_DAYS} days")


def _nobody_reads(facts: SettingsFacts, _: Limits) -> Verdict:
    if facts.results_read is True:
        return PASS
    ignored = setting(facts, "task_ignore_result")
    kind = result_store(facts)
    if kind is None or ignored is True:
        return PASS
    unread = [
        what
        for what, value in (
            ("the result backend", kind),
            ("task_ignore_result", ignored),
            ("whether results are read", facts.results_read),
        )
        if value is UNKNOWN
    ]
    return unreadable(*unread) if unread else Fail(f"results go to {kind}, and no code reads one")


def _expire_early(facts: SettingsFacts, _: Limits) -> Verdict:
    expires, limit = setting(facts, "result_expires"), setting(facts, "task_time_limit")
    if not is_duration(expires) or result_store(facts) is None:
        return PASS
    longest = max((x for x in (limit, facts.longest_limit_s) if is_duration(x)), default=None)
    if longest is not None and expires < longest:
        return Fail(f"result_expires is {shown(expires)}, a task may take {shown(longest)} s")
    return PASS


def _arguments_stored(facts: SettingsFacts, _: Limits) -> Verdict:
    extended = setting(facts, "result_extended")
    if extended is UNKNOWN:
        return unreadable("result_extended")
    if not extended:
        return PASS
    kind = result_store(facts)
    if kind is UNKNOWN:
        return unreadable("the result backend")
    return PASS if kind is None else Fail("result_extended is on")


def _rpc(facts: SettingsFacts, _: Limits) -> Verdict:
    kind = result_store(facts)
    if kind is UNKNOWN:
        return unreadable("the result backend")
    return Fail("the result backend is rpc://") if kind == "rpc" else PASS


def _one_process(facts: SettingsFacts, _: Limits) -> Verdict:
    kind = result_store(facts)
    if kind is UNKNOWN:
        return unreadable("the result backend")
    sqlite = kind is not None and "sqlite" in kind and _in_memory(setting(facts, "result_backend"))
    if kind not in _ONE_PROCESS and not sqlite:
        return PASS
    if facts.production is UNKNOWN:
        return Undecided(f"results go to {kind}, and it cannot be determined whether this is production")
    return PASS if facts.production is False else Fail(f"results go to {kind}")


def _in_memory(url: Stated) -> bool:
    return isinstance(url, str) and (url.endswith("://") or ":memory:" in url)


def _removed(facts: SettingsFacts, _: Limits) -> Verdict:
    kind = result_store(facts)
    if kind is UNKNOWN:
        return unreadable("the result backend")
    instead = _REMOVED.get(kind) if kind is not None else None
    return Fail(f"result_backend is {kind}; {instead} is what it became") if instead else PASS


def _not_stored(facts: SettingsFacts, _: Limits) -> Verdict:
    if facts.results_read is False:
        return PASS
    kind, ignored = result_store(facts), setting(facts, "task_ignore_result")
    if facts.results_read is UNKNOWN:
        wrong = kind is None or ignored is True
        return Undecided("results are not stored, and whether code reads them cannot be determined") if wrong else PASS
    if kind is None:
        return Fail("code reads results, and there is no result backend")
    return Fail("code reads results, and task_ignore_result is True") if ignored is True else PASS


def _endless_store(facts: SettingsFacts, _: Limits) -> Verdict:
    if setting(facts, "result_backend_always_retry") is not True:
        return PASS
    most = stated(facts, "result_backend_max_retries")
    if most is UNKNOWN:
        return unreadable("result_backend_max_retries")
    if is_count(most):
        return PASS
    return Fail(f"result_backend_max_retries is {'not stated' if most is ABSENT else shown(most)}")


def _endless_join(facts: SettingsFacts, _: Limits) -> Verdict:
    timeout = stated(facts, "result_chord_join_timeout")
    if timeout is ABSENT or timeout is UNKNOWN or timeout not in _NO_EXPIRY:
        return PASS
    return Fail(f"result_chord_join_timeout is {shown(timeout)}")


RULES = (
    Rule(
        code="SFC801",
        name="results-never-expire",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_never_expire,
        message="keeps every result for ever, until the store is full",
        fix="leave result_expires out (a day), or state a number of seconds",
    ),
    Rule(
        code="SFC802",
        name="results-kept-too-long",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_kept_long,
        message="keeps results, and what stands in them, for longer than a month",
        fix="lower result_expires, and keep what is needed longer in a table of your own",
    ),
    Rule(
        code="SFC803",
        name="results-stored-for-nobody",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_nobody_reads,
        message="stores results that nobody reads",
        fix="set task_ignore_result = True, and ignore_result=False on the tasks whose result is read",
    ),
    Rule(
        code="SFC804",
        name="results-expire-before-tasks-end",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_expire_early,
        message="forgets results while their chord or group may still be running",
        fix="make result_expires longer than the longest time limit, times the steps of the longest chain",
    ),
    Rule(
        code="SFC805",
        name="arguments-stored-with-results",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_arguments_stored,
        message="stores the arguments of every task beside its result, in plain text",
        fix="leave result_extended off, or keep what is secret out of arguments",
    ),
    Rule(
        code="SFC806",
        name="results-go-where-message-says",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_rpc,
        message="sends results to the queue that the message names, and only its sender can read them",
        fix="use a result store (rediss://), or no results",
    ),
    Rule(
        code="SFC807",
        name="results-of-one-process",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_one_process,
        message="stores results in the worker's own memory, where no other process finds them",
        fix="use Redis or a database, or task_ignore_result = True",
    ),
    Rule(
        code="SFC808",
        name="result-backend-removed",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_removed,
        message="names a result backend that Celery 5 has no more",
        fix="use rediss:// or a database",
    ),
    Rule(
        code="SFC809",
        name="results-read-but-not-stored",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_not_stored,
        message="waits for results that are never stored",
        fix="set result_backend; on the tasks whose result is read, ignore_result=False",
    ),
    Rule(
        code="SFC810",
        name="result-store-retried-for-ever",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_endless_store,
        message="keeps each worker process waiting as long as the result store is away",
        fix="state result_backend_max_retries, a whole number",
    ),
    Rule(
        code="SFC811",
        name="chord-join-without-timeout",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_endless_join,
        message="lets a worker wait for ever for the results of a chord",
        fix="leave result_chord_join_timeout out (3 s), or state a number of seconds",
    ),
)
