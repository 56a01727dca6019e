"""Facts of a live app judged by a policy, as the linter's findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from safecelery.audit.places import relative
from safecelery.errors import PolicyViolationError
from safecelery.lint.finding import Because, Finding
from safecelery.policy.document import Level
from safecelery.policy.facts import Facts, SettingsFacts
from safecelery.policy.gate import Violation, examine
from safecelery.policy.profile import Policy
from safecelery.policy.rules.abstention import UNDECIDED

__all__ = ["Judged", "judge", "refusals"]


@dataclass(slots=True)
class Judged:
    """What came of it, each part in order of path, line and code."""

    findings: tuple[Finding, ...] = ()
    undecided: tuple[Finding, ...] = ()
    waived: tuple[Finding, ...] = ()
    rules: set[str] = field(default_factory=set)
    """The codes of the rules that were asked."""


def judge(facts: Iterable[Facts], policy: Policy, *, today: date) -> Judged:
    """Ask every active rule about every fact of its kind."""
    found: list[Finding] = []
    open_: list[Finding] = []
    waived: list[Finding] = []
    asked: set[str] = set()
    for subject in facts:
        plan = policy.plans.get(type(subject))
        asked |= {rule.code for rule, _ in plan.rules} if plan is not None else set()
        report = examine(subject, policy, today=today)
        found += [_finding(item, subject) for item in (*report.violations, *report.warnings)]
        open_ += [_undecided(item, subject) for item in report.unknowns]
        for excused in report.waived:
            reason = f"{excused.waiver.reason} ({excused.waiver.owner})"
            waived.append(replace(_finding(excused.violation, subject), waived=True, reason=reason))
    return Judged(_ordered(found), _ordered(open_), _ordered(waived), asked)


def refusals(error: PolicyViolationError, policy: Policy) -> tuple[Finding, ...]:
    """What a hardened app says when it refuses to be imported, of the rules that ``policy`` asks for."""
    found = [_finding(item, None) for item in error.violations if isinstance(item, Violation)]
    return _ordered([item for item in found if policy.levels.get(item.code, Level.ERROR) is not Level.OFF])


def _finding(item: Violation, subject: Facts | None) -> Finding:
    where = item.where
    because: tuple[Because, ...] = ()
    if isinstance(subject, SettingsFacts):
        # The rule speaks of the app; the line that states the setting it names helps more.
        named = [name for name in subject.places if name in item.message]
        if named:
            name = max(named, key=len)
            where = subject.places[name]
            because = (Because(where.file, where.line, name),)
    return Finding(
        code=item.code,
        name=item.name,
        severity=item.severity,
        level=item.level,
        message=item.message,
        fix=item.fix,
        path=relative(where.file) if where.file.startswith("/") else where.file,
        line=where.line,
        subject=item.subject,
        because=because,
    )


def _undecided(item: Violation, subject: Facts) -> Finding:
    return replace(
        _finding(item, subject),
        code=UNDECIDED.code,
        name=UNDECIDED.name,
        severity=UNDECIDED.severity,
        fix=UNDECIDED.fix,
        rule=item.code,
    )


def _ordered(found: list[Finding]) -> tuple[Finding, ...]:
    seen: Counter[tuple[str, str, str, str]] = Counter()
    numbered = []
    for item in sorted(found, key=lambda item: (item.path, item.line, item.code, item.subject, item.message)):
        key = (item.code, item.path, item.subject, item.message)
        numbered.append(replace(item, number=seen[key]) if seen[key] else item)
        seen[key] += 1
    return tuple(numbered)
