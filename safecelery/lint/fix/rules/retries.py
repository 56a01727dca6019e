"""Retries (6xx). Jitter and what stands in the wrong place are safe; numbers are the policy's, so they are not."""

from __future__ import annotations

import ast
from typing import Final

from safecelery.lint.finding import Finding
from safecelery.lint.fix.arguments import remove_entry, remove_keyword, replace_value
from safecelery.lint.fix.declaration import declaration_at
from safecelery.lint.fix.edits import Edit, Fix
from safecelery.lint.fix.literals import literal
from safecelery.lint.fix.places import calls_at, mentions
from safecelery.lint.fix.rules.fixer import one
from safecelery.lint.fix.source import Source
from safecelery.policy.facts import ABSENT
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_count, is_duration

__all__ = ["backoff", "backoff_max", "bounded", "call_retries", "countdown", "jitter", "misplaced"]

_ON_THE_TASK: Final = frozenset(
    {"retry_jitter", "retry_backoff", "retry_backoff_max", "autoretry_for", "default_retry_delay"}
)

CELERY_CEILING_S: Final = 600
"""celery/app/autoretry.py."""


def bounded(source: Source, finding: Finding, limits: Limits) -> tuple[Fix, ...]:
    """Bring max_retries down to the policy's number; in retry_kwargs, which wins, if it is stated there."""
    declaration = declaration_at(source, finding.line)
    if declaration is None:
        return ()
    text = str(limits.max_retries)
    edits: tuple[Edit, ...] = ()
    kwargs = declaration.stated.get("retry_kwargs", ABSENT)
    if kwargs is not ABSENT:
        if not isinstance(kwargs, ast.Dict) or None in kwargs.keys:
            return ()
        for key, value in zip(kwargs.keys, kwargs.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "max_retries":
                number = literal(value)
                done = is_count(number) and number <= limits.max_retries
                if done or not (number is None or is_count(number)):
                    return ()
                return one(f"lower max_retries to {text}", replace_value(source, value, text), safe=False)
    number = declaration.value("max_retries")
    if number is ABSENT or number is None or (is_count(number) and number > limits.max_retries):
        edits = declaration.set("max_retries", text)
    return one(f"state max_retries={text}", edits, safe=False)


def jitter(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Turn jitter on. Safe: only the wait of a task that failed anyway changes, and it gets no longer."""
    declaration = declaration_at(source, finding.line)
    edits = () if declaration is None else declaration.set("retry_jitter", "True")
    return one("state retry_jitter=True", edits, safe=True)


def backoff(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Turn backoff on. Unsafe: the first retries come sooner than at a fixed pace of three minutes."""
    declaration = declaration_at(source, finding.line)
    edits = () if declaration is None else declaration.set("retry_backoff", "True")
    return one("state retry_backoff=True", edits, safe=False)


def countdown(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Take the countdown out of retry_kwargs. Safe: backoff overwrites it in any case (celery/app/autoretry.py)."""
    declaration = declaration_at(source, finding.line)
    kwargs = None if declaration is None else declaration.stated.get("retry_kwargs")
    if not isinstance(kwargs, ast.Dict):
        return ()
    for index, key in enumerate(kwargs.keys):
        if isinstance(key, ast.Constant) and key.value == "countdown":
            return one("remove countdown from retry_kwargs", remove_entry(source, kwargs, index), safe=True)
    return ()


def backoff_max(source: Source, finding: Finding, limits: Limits) -> tuple[Fix, ...]:
    """State Celery's own ceiling of ten minutes, or the policy's longest wait if that is less."""
    declaration = declaration_at(source, finding.line)
    if declaration is None:
        return ()
    most = limits.max_retry_backoff_s
    value = declaration.value("retry_backoff_max")
    if is_duration(value) and value <= most:
        return ()
    number = min(most, CELERY_CEILING_S)
    text = str(int(number)) if number == int(number) else repr(number)
    return one(f"state retry_backoff_max={text}", declaration.set("retry_backoff_max", text), safe=False)


def call_retries(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Leave out a retry count that a caller makes up."""
    fixes: list[Fix] = []
    for call in calls_at(source, finding.line):
        for keyword in call.keywords:
            if keyword.arg == "retries":
                fixes += one("remove retries", remove_keyword(source, call, keyword), safe=False)
    return tuple(fixes)


def misplaced(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Move options of the task out of retry_kwargs, where nobody reads them. Stated beside it, they are dropped."""
    declaration = declaration_at(source, finding.line)
    kwargs = None if declaration is None else declaration.stated.get("retry_kwargs")
    if declaration is None or not isinstance(kwargs, ast.Dict):
        return ()
    for index, (key, value) in enumerate(zip(kwargs.keys, kwargs.values, strict=True)):
        name = key.value if isinstance(key, ast.Constant) else None
        if not isinstance(name, str) or name not in _ON_THE_TASK or not mentions(finding, name):
            continue
        taken = remove_entry(source, kwargs, index)
        if name in declaration.stated or (name == "retry_jitter" and literal(value) is True):
            return one(f"remove {name} from retry_kwargs", taken, safe=True)
        put = declaration.set(name, source.text[slice(*source.span(value))])
        return one(f"move {name} out of retry_kwargs", (*taken, *put) if taken and put else (), safe=True)
    return ()
