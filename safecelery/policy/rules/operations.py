"""9xx: names that nobody reads. Celery accepts a misspelt option or setting in silence."""

from __future__ import annotations

from collections.abc import Iterable

from safecelery.errors import did_you_mean
from safecelery.policy.facts import UNKNOWN, AppFacts, CallFacts, TaskFacts, Unknown
from safecelery.policy.limits import Limits
from safecelery.policy.reading import unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.vocabulary import SETTINGS, SIGNATURE_OPTIONS, TASK_OPTIONS

__all__ = ["RULES"]


def _none_unknown(names: tuple[str, ...] | Unknown, known: Iterable[str], what: str) -> Verdict:
    if names is UNKNOWN:
        return unreadable(f"the list of {what}s")
    if not names:
        return PASS
    return Fail(", ".join(f"{name!r}{did_you_mean(name.lower(), known)}" for name in names))


def _task_options(task: TaskFacts, _: Limits) -> Verdict:
    return _none_unknown(task.unknown_options, TASK_OPTIONS, "option")


def _call_options(call: CallFacts, _: Limits) -> Verdict:
    return _none_unknown(call.unknown_options, SIGNATURE_OPTIONS, "option")


def _settings(app: AppFacts, _: Limits) -> Verdict:
    return _none_unknown(app.unknown_settings, SETTINGS, "setting")


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
)
