"""The gate: facts and a policy in, a report or a refusal out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, Final, Literal

from safecelery.deferred import dataclass
from safecelery.errors import PolicyFileError, PolicyViolationError
from safecelery.policy.facts import UNKNOWN, AppFacts, Facts, Place, TransportFacts
from safecelery.policy.profile import Level, Plan, Policy
from safecelery.policy.rule import PASS, Fail, Pass, Rule, Severity, Undecided
from safecelery.policy.rules import WAIVER_EXPIRED
from safecelery.policy.waiver import Waiver

__all__ = ["CLEAN", "Report", "Violation", "Waived", "enforce", "evaluate", "examine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule, or one that could not be decided."""

    code: str
    name: str
    severity: Severity
    message: str
    fix: str
    where: Place
    subject: str
    level: Level = Level.ERROR

    def __str__(self) -> str:
        return f"{self.code} {self.name}: {self.message} [{self.where}] fix: {self.fix}"


@dataclass(frozen=True, slots=True)
class Waived:
    """A violation, and the waiver that excuses it."""

    violation: Violation
    waiver: Waiver


@dataclass(frozen=True, slots=True)
class Report:
    """Everything found. ``unknowns`` are rules, of either level, that could not be decided."""

    violations: tuple[Violation, ...] = ()
    warnings: tuple[Violation, ...] = ()
    waived: tuple[Waived, ...] = ()
    unknowns: tuple[Violation, ...] = ()


CLEAN: Final = Report()
"""The report of a subject that keeps every rule."""


def evaluate(subject: Facts, policy: Policy, *, today: date) -> Report:
    """Check a subject against every rule of its type. For an app, its transports are checked too.

    Raises PolicyFileError if the policy has no active rule for that type of subject: nothing checked is not a pass.
    """
    plan = policy.plans.get(type(subject))
    if plan is None:
        raise PolicyFileError(
            f"policy {policy.name!r} has no active rule for {type(subject).__name__}, and nothing checked is not a pass"
        )
    if type(subject) is not AppFacts and today <= plan.first_expiry:
        # The fast path, taken at every publish: no object is made unless something is wrong.
        limits = policy.limits
        for check in plan.checks:
            if check(subject, limits) is not PASS:
                break
        else:
            return CLEAN
    report = _inspect(subject, policy, plan, today)
    if isinstance(subject, AppFacts):
        for transport in _transports(subject):
            part = evaluate(transport, policy, today=today)
            report = Report(
                report.violations + part.violations,
                report.warnings + part.warnings,
                report.waived + part.waived,
                report.unknowns + part.unknowns,
            )
    return report


def examine(subject: Facts, policy: Policy, *, today: date) -> Report:
    """Check a subject against the active rules of its own type; where none is active, nothing is found.

    Other than :func:`evaluate`, this leaves the transports of an app to be examined as subjects of their own.
    """
    plan = policy.plans.get(type(subject))
    return CLEAN if plan is None else _inspect(subject, policy, plan, today)


def enforce(
    subject: Facts, policy: Policy, today: date | None = None, unknown: Literal["fail", "pass"] = "fail"
) -> Report:
    """Check, and raise PolicyViolationError listing every violation of a rule at level error.

    ``unknown`` says whether such a rule that cannot be decided counts as broken. ``today`` defaults to the day in UTC.
    Returns the report, whose warnings are the caller's to show.
    """
    if unknown not in ("fail", "pass"):
        raise ValueError(f"unknown must be 'fail' or 'pass', not {unknown!r}")
    if today is None:
        # Only waivers ask what day it is; without any, a publish need not.
        today = datetime.now(UTC).date() if policy.waivers else date.min
    report = evaluate(subject, policy, today=today)
    if report is CLEAN:
        return report
    broken = report.violations
    if unknown == "fail":
        broken += tuple(item for item in report.unknowns if item.level is Level.ERROR)
    if broken:
        raise PolicyViolationError(broken, subject=subject.subject)
    return report


def _transports(app: AppFacts) -> Iterator[TransportFacts]:
    if app.brokers is not UNKNOWN:  # else SFC206 is undecided and says so
        yield from app.brokers
    if app.results is not None:
        yield app.results


def _inspect(subject: Facts, policy: Policy, plan: Plan, today: date) -> Report:
    """The slow path: every rule, every waiver, everything written down."""
    violations: list[Violation] = []
    warnings: list[Violation] = []
    waived: list[Waived] = []
    unknowns: list[Violation] = []
    waivers = [waiver for waiver in plan.waivers if waiver.covers(subject.subject)]
    for rule, level in plan.rules:
        verdict = rule.check(subject, policy.limits)
        if isinstance(verdict, Pass):
            continue
        item = _violation(rule, level, subject, verdict)
        excuse = next((w for w in waivers if w.rule == rule.code and today <= w.expires), None)
        if excuse is not None:
            waived.append(Waived(item, excuse))
        elif isinstance(verdict, Undecided):
            unknowns.append(item)
        else:
            (violations if level is Level.ERROR else warnings).append(item)
    level = policy.levels[WAIVER_EXPIRED.code]
    for waiver in waivers:
        facts = waiver.facts(today)
        verdict = WAIVER_EXPIRED.check(facts, policy.limits)
        if isinstance(verdict, Fail) and level is not Level.OFF:
            item = _violation(WAIVER_EXPIRED, level, facts, verdict)
            (violations if level is Level.ERROR else warnings).append(item)
    return Report(tuple(violations), tuple(warnings), tuple(waived), tuple(unknowns))


def _violation(rule: Rule[Any], level: Level, subject: Facts, verdict: object) -> Violation:
    if isinstance(verdict, Fail):
        message = f"{subject.subject} {rule.message} ({verdict.detail})"
    elif isinstance(verdict, Undecided):
        message = f"whether {subject.subject} {rule.message} is unknown ({verdict.because})"
    else:
        raise TypeError(f"{rule} answered {verdict!r}, which is no verdict")
    return Violation(
        code=rule.code,
        name=rule.name,
        severity=rule.severity,
        message=message,
        fix=rule.fix,
        where=subject.where,
        subject=subject.subject,
        level=level,
    )
