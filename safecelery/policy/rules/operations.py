"""9xx: names that nobody reads. Celery accepts a misspelt option or setting in silence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from safecelery.errors import did_you_mean
from safecelery.policy.facts import UNKNOWN, AppFacts, CallFacts, Place, TaskFacts, Unknown
from safecelery.policy.limits import Limits
from safecelery.policy.reading import unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.setting_names import advice
from safecelery.policy.vocabulary import SETTINGS, SIGNATURE_OPTIONS, TASK_OPTIONS

__all__ = ["RULES"]


_MEANT: Final = {
    "max_retry": "max_retries",
    "retries": "max_retries",
    "retry_delay": "default_retry_delay",
    "retry_countdown": "default_retry_delay",
    "interval_start": "default_retry_delay",
    "interval_step": "retry_backoff",
    "interval_max": "retry_backoff_max",
    "retry_for": "autoretry_for",
    "task_time_limit": "time_limit",
    "task_soft_time_limit": "soft_time_limit",
    "hard_time_limit": "time_limit",
    "timeout": "time_limit",
    "ignore_results": "ignore_result",
    "late_ack": "acks_late",
    "ack_late": "acks_late",
    "delay": "countdown",
}
"""What authors wanted who wrote these, where the nearest spelling would say something else. ``interval_*`` belong to
``retry_policy``, which is about sending a message and not about running a task (celery/app/amqp.py)."""


def _none_unknown(names: tuple[str, ...] | Unknown, known: Iterable[str], what: str) -> Verdict:
    if names is UNKNOWN:
        return unreadable(f"the list of {what}s")
    if not names:
        return PASS
    known = frozenset(known)
    return Fail(", ".join(f"{name!r}{_hint(name.lower(), known)}" for name in names))


def _hint(name: str, known: frozenset[str]) -> str:
    meant = _MEANT.get(name)
    return f" (did you mean {meant!r}?)" if meant in known else did_you_mean(name, known)


def _task_options(task: TaskFacts, _: Limits) -> Verdict:
    return _none_unknown(task.unknown_options, TASK_OPTIONS, "option")


def _call_options(call: CallFacts, _: Limits) -> Verdict:
    return _none_unknown(call.unknown_options, SIGNATURE_OPTIONS, "option")


_OF_PACKAGES = ("once", "redbeat_", "singleton_", "mongodb_scheduler_", "beat_dburi", "beat_schema")
"""How settings begin that packages read out of ``app.conf``: celery-once, celery-redbeat, celery-singleton,
celerybeat-mongo, and the schedulers that keep their entries in a database."""


def _settings(app: AppFacts, _: Limits) -> Verdict:
    if app.unknown_settings is UNKNOWN or not app.unknown_settings:
        return _none_unknown(app.unknown_settings, SETTINGS, "setting")
    strange = (
        name for name in app.unknown_settings if not name.lower().removeprefix("celery_").startswith(_OF_PACKAGES)
    )
    told = [f"{name!r}{hint}" for name, hint in ((name, _setting_hint(name)) for name in strange)]
    return Fail(", ".join(told)) if told else PASS


def _setting_hint(name: str) -> str:
    # Lower case is written without a namespace; in capitals, Django's custom is the namespace CELERY.
    hint = advice(name, "CELERY" if name.isupper() else None)
    if hint:
        return f" ({hint})"
    return "" if name.isupper() else did_you_mean(name, SETTINGS)


def _only_name(task: TaskFacts, _: Limits) -> Verdict:
    other = task.duplicate_of
    if other is UNKNOWN:
        return unreadable("the names of the other tasks")
    return Fail(f"{other} has it already") if isinstance(other, Place) else PASS


RULES = (
    Rule(
        code="SFC901",
        name="unknown-task-option",
        subject=TaskFacts,
        severity=Severity.MEDIUM,
        check=_task_options,
        message="is declared with an option nobody reads",
        fix="correct the name, or remove the option",
    ),
    Rule(
        code="SFC902",
        name="unknown-call-option",
        subject=CallFacts,
        severity=Severity.MEDIUM,
        check=_call_options,
        message="is called with an option nobody reads",
        fix="correct the name, or remove the option; values for the task itself belong into args or kwargs",
    ),
    Rule(
        code="SFC903",
        name="unknown-setting",
        subject=AppFacts,
        severity=Severity.MEDIUM,
        check=_settings,
        message="has a setting nobody reads",
        fix="correct the name, or remove the setting",
    ),
    Rule(
        code="SFC916",
        name="task-name-taken",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_only_name,
        message="has the name of another task, which runs in its place",
        fix="rename one of the two, or give it a name= of its own",
    ),
)
