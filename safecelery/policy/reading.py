"""How rules read a value that somebody wrote.

A boolean is not a number here, although Python says so: ``time_limit=True`` would be a limit of one second.
"""

from __future__ import annotations

import math
from typing import TypeGuard

from safecelery.policy.facts import ABSENT, UNKNOWN
from safecelery.policy.rule import PASS, Fail, Undecided, Verdict

__all__ = ["first_unknown", "is_count", "is_duration", "is_on", "must_be_true", "shown", "unreadable"]

_LONGEST_SHOWN = 60


def is_duration(value: object) -> TypeGuard[float]:
    """A positive finite number of seconds: int or float, not bool, not NaN."""
    if type(value) is int:  # by far the most frequent, and asked at every publish
        return value > 0
    if isinstance(value, bool):
        return False
    if isinstance(value, int):  # an IntEnum, say
        return value > 0
    # An int is not asked for isfinite, which overflows on a huge one.
    return isinstance(value, float) and math.isfinite(value) and value > 0


def is_count(value: object) -> TypeGuard[int]:
    """A whole number, zero or more, not bool."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def shown(value: object) -> str:
    """The value for a message: itself if plain and short, else only its type."""
    if value is None or isinstance(value, bool | int | float | str):
        try:
            text = repr(value)
        except ValueError:  # an int beyond sys.get_int_max_str_digits()
            return "a huge number"
        return text if len(text) <= _LONGEST_SHOWN else f"a long {type(value).__name__}"
    return f"a {type(value).__name__}"


def unreadable(*options: str) -> Undecided:
    """The verdict when these options cannot be read."""
    return Undecided(f"{' and '.join(options)} cannot be determined")


def must_be_true(option: str, value: object) -> Verdict:
    """PASS for exactly ``True``."""
    if value is True:
        return PASS
    if value is UNKNOWN:
        return unreadable(option)
    return Fail(f"{option} is {shown(value)}")


def is_on(value: object) -> bool:
    """Celery's own reading of a switch: anything that is true in Python. Not for UNKNOWN, which must be asked first."""
    return value is not ABSENT and value is not UNKNOWN and bool(value)


def first_unknown(**values: object) -> Undecided | None:
    """The verdict naming those of these values that are UNKNOWN, or None if all are known."""
    names = [name for name, value in values.items() if value is UNKNOWN]
    return unreadable(*names) if names else None
