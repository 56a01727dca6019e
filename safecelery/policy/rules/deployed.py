"""What the rules about processes share: where they speak, and how they read a fact that may not be said at all."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import wraps
from typing import TypeAlias

from safecelery.policy.facts import ABSENT, UNKNOWN, Absent, DeployFacts, Tri
from safecelery.policy.limits import Limits
from safecelery.policy.rule import PASS, Fail, Undecided, Verdict

__all__ = ["Check", "among", "in_production", "must_be", "texts"]

Check: TypeAlias = Callable[[DeployFacts, Limits], Verdict]


def in_production(*roles: str) -> Callable[[Check], Check]:
    """The predicate for these roles; silent about files that are for development or tests."""

    def decorate(check: Check) -> Check:
        @wraps(check)
        def asked(process: DeployFacts, limits: Limits) -> Verdict:
            if process.production is False or process.role not in roles:
                return PASS
            return check(process, limits)

        return asked

    return decorate


def among(value: object, names: Container[str]) -> bool:
    """The value is one of the names; a value of another type is none."""
    return isinstance(value, str) and value in names


def texts(value: object) -> tuple[str, ...]:
    """The texts of a tuple; nothing for any other value."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def must_be(value: Tri | Absent | object, wanted: bool, otherwise: str, unknown: str) -> Verdict:
    """PASS if so, or if such a file is not where it is said; Fail, or Undecided for UNKNOWN."""
    if value is ABSENT or value is wanted:
        return PASS
    return Undecided(unknown) if value is UNKNOWN else Fail(otherwise)
