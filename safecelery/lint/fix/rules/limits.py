"""Time limits (4xx). Numbers are the policy's, so these are unsafe; only limits in the wrong order are safe to swap."""

from __future__ import annotations

from safecelery.lint.finding import Finding
from safecelery.lint.fix.arguments import remove_keyword
from safecelery.lint.fix.declaration import Declaration, declaration_at
from safecelery.lint.fix.edits import Fix
from safecelery.lint.fix.places import calls_at
from safecelery.lint.fix.rules.fixer import one
from safecelery.lint.fix.source import Source
from safecelery.policy.facts import ABSENT, UNKNOWN
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_duration

__all__ = ["call_lifts", "hard_missing", "hard_too_high", "out_of_order", "soft_missing", "soft_too_high"]

_HARD, _SOFT = "time_limit", "soft_time_limit"
_USUAL = 1800
"""Half an hour: below the hour after which Redis delivers an unacknowledged message again (kombu's
``visibility_timeout``), so that a limit which this adds breaks no other rule."""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _below(hard: float, most: float) -> float:
    """A soft limit that leaves a tenth of the hard one to clean up."""
    soft = min(most, hard * 0.9)
    return int(soft) if soft >= 1 else soft


def _limits(source: Source, finding: Finding) -> tuple[Declaration, object, object] | None:
    declaration = declaration_at(source, finding.line)
    if declaration is None:
        return None
    return declaration, declaration.value(_HARD), declaration.value(_SOFT)


def hard_missing(source: Source, finding: Finding, limits: Limits) -> tuple[Fix, ...]:
    """State a hard limit of half an hour, or the policy's highest if that is less, or the soft limit is not."""
    found = _limits(source, finding)
    if found is None or is_duration(found[1]):
        return ()
    declaration, _, soft = found
    most = limits.max_time_limit_s
    if soft is UNKNOWN or (is_duration(soft) and soft >= most):
        return ()
    number = most if is_duration(soft) and soft >= _USUAL else min(most, _USUAL)
    return one(f"state {_HARD}={_number(number)}", declaration.set(_HARD, _number(number)), safe=False)


def soft_missing(source: Source, finding: Finding, limits: Limits) -> tuple[Fix, ...]:
    """State a soft limit nine tenths of the hard one, which must stand in the same declaration."""
    found = _limits(source, finding)
    if found is None or not is_duration(found[1]) or is_duration(found[2]):
        return ()
    declaration, hard, _ = found
    assert is_duration(hard)  # noqa: S101  # for the type checker
    text = _number(_below(hard, limits.max_soft_time_limit_s))
    return one(f"state {_SOFT}={text}", declaration.set(_SOFT, text), safe=False)


def out_of_order(source: Source, finding: Finding, limits: Limits) -> tuple[Fix, ...]:
    """Swap two limits that were mistaken for each other; lower a soft one that equals the hard one."""
    found = _limits(source, finding)
    if found is None:
        return ()
    declaration, hard, soft = found
    if not is_duration(hard) or not is_duration(soft) or soft < hard:
        return ()
    if soft == hard:
        text = _number(_below(hard, limits.max_soft_time_limit_s))
        return one(f"lower {_SOFT} to {text}", declaration.set(_SOFT, text), safe=False)
    if soft > limits.max_time_limit_s:
        return ()
    stated = declaration.stated
    first, second = stated[_HARD], stated[_SOFT]
    assert first is not None  # noqa: S101  # a literal was read from both
    assert second is not None  # noqa: S101
    old_hard, old_soft = (source.text[slice(*source.span(node))] for node in (first, second))
    edits = (*declaration.set(_HARD, old_soft), *declaration.set(_SOFT, old_hard))
    return one(f"swap {_HARD} and {_SOFT}", edits, safe=True)


def hard_too_high(source: Source, finding: Finding, limits: Limits) -> tuple[Fix, ...]:
    """Lower a hard limit to the policy's highest, and with it a soft one that would be above."""
    found = _limits(source, finding)
    if found is None:
        return ()
    declaration, hard, soft = found
    most = limits.max_time_limit_s
    if not is_duration(hard) or hard <= most or soft is UNKNOWN:
        return ()
    edits = declaration.set(_HARD, _number(most))
    if is_duration(soft) and soft >= most:
        edits += declaration.set(_SOFT, _number(_below(most, limits.max_soft_time_limit_s)))
    return one(f"lower {_HARD} to {_number(most)}", edits, safe=False)


def soft_too_high(source: Source, finding: Finding, limits: Limits) -> tuple[Fix, ...]:
    """Lower a soft limit to the policy's highest."""
    found = _limits(source, finding)
    if found is None:
        return ()
    declaration, hard, soft = found
    most = limits.max_soft_time_limit_s
    if not is_duration(soft) or soft <= most or (hard is not ABSENT and not is_duration(hard)):
        return ()
    text = _number(_below(hard, most) if is_duration(hard) and hard <= most else most)
    return one(f"lower {_SOFT} to {text}", declaration.set(_SOFT, text), safe=False)


def call_lifts(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Leave out a limit of None or 0 in a call: the task's own then holds."""
    fixes: list[Fix] = []
    for call in calls_at(source, finding.line):
        for keyword in call.keywords:
            constant = getattr(keyword.value, "value", UNKNOWN)
            if keyword.arg in (_HARD, _SOFT) and (
                constant is None or (type(constant) in (int, float) and constant == 0)
            ):
                fixes += one(f"remove {keyword.arg}", remove_keyword(source, call, keyword), safe=False)
    return tuple(fixes)
