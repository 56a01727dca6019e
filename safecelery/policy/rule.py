"""A rule: a pure predicate over frozen facts, and what it can answer."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, Generic, TypeAlias, TypeVar

from safecelery.deferred import dataclass
from safecelery.policy.facts import Facts
from safecelery.policy.limits import Limits

__all__ = ["PASS", "Fail", "Family", "Pass", "Rule", "Severity", "Undecided", "Verdict"]

Subject = TypeVar("Subject", bound=Facts)


class Severity(StrEnum):
    """How bad it is when the rule is broken, whatever level a policy gives the rule."""

    CRITICAL = "critical"
    """Code execution, or anybody's message is obeyed."""
    HIGH = "high"
    """Work is lost, runs without bound, or travels unprotected."""
    MEDIUM = "medium"
    """A safety net is missing."""
    LOW = "low"
    """A mistake that does no harm by itself."""


class Family(StrEnum):
    """What a rule is about; the value is the first digit of its code."""

    POLICY = "0"
    SERIALIZATION = "1"
    TRANSPORT = "2"
    SIGNING = "3"
    TIME_LIMITS = "4"
    DELIVERY = "5"
    RETRIES = "6"
    TASK_CODE = "7"
    RESULTS = "8"
    OPERATIONS = "9"


@dataclass(frozen=True, slots=True)
class Pass:
    """The rule is kept. Use the one instance, :data:`PASS`: the gate compares by identity."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The rule is broken; ``detail`` says by what."""

    detail: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """It cannot be told, ``because`` some fact is UNKNOWN."""

    because: str


PASS: Final = Pass()

Verdict: TypeAlias = Pass | Fail | Undecided


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[Subject]):
    """One rule.

    ``check`` takes facts and limits and returns a verdict: no I/O, no clock, no Celery, and no exception whatever the
    facts hold. ``message`` is a phrase whose subject is the thing checked; ``fix`` is an instruction.
    """

    code: str
    name: str
    subject: type[Subject]
    severity: Severity
    check: Callable[[Subject, Limits], Verdict]
    message: str
    fix: str

    @property
    def family(self) -> Family:
        """The family, from the code's first digit."""
        return Family(self.code[3])

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
