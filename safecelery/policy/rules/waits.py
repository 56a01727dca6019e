"""How long a task that retries by itself may wait, as celery/app/autoretry.py and celery/utils/time.py work it out."""

from __future__ import annotations

from collections.abc import Mapping

from safecelery.policy.facts import UNKNOWN, Stated, TaskFacts
from safecelery.policy.reading import is_count, is_duration

__all__ = ["backs_off", "longest_wait", "total_wait"]

_ENOUGH = 64  # doublings after which any ceiling is reached


def backs_off(value: object) -> bool:
    """Celery reads it as ``float(value)``: True is one second, a number is a factor."""
    return value is True or is_duration(value)


def longest_wait(task: TaskFacts) -> Stated:
    """The longest wait before an automatic retry in seconds; None if there is none, UNKNOWN if it cannot be told."""
    waits = _waits(task)
    return waits[-1] if isinstance(waits, list) and waits else waits if waits is UNKNOWN else None


def total_wait(task: TaskFacts) -> Stated:
    """All waits of a task that is retried to the last, in seconds; None and UNKNOWN as in :func:`longest_wait`."""
    waits = _waits(task)
    return sum(waits) if isinstance(waits, list) and waits else waits if waits is UNKNOWN else None


def _waits(task: TaskFacts) -> Stated:
    if task.autoretry_for == ():
        return None
    backoff, ceiling, most = task.retry_backoff, task.retry_backoff_max, task.max_retries
    if most is not UNKNOWN and most is not None and not is_count(most):
        return None
    if UNKNOWN in (task.autoretry_for, backoff, most):
        return UNKNOWN
    times = min(most, _ENOUGH) if is_count(most) else _ENOUGH
    if backs_off(backoff):
        if ceiling is UNKNOWN:
            return UNKNOWN
        if not is_duration(ceiling):  # SFC606
            return None
        factor = int(max(1.0, min(float(min(backoff, 1e9)), 1e9))) if is_duration(backoff) else 1
        return [min(ceiling, factor * 2**number) for number in range(times)]
    fixed = task.retry_kwargs
    if fixed is UNKNOWN:
        return UNKNOWN
    pause = fixed.get("countdown", task.default_retry_delay) if isinstance(fixed, Mapping) else None
    return UNKNOWN if pause is UNKNOWN else [pause] * times if is_duration(pause) else None
