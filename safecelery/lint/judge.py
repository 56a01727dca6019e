"""Asks the policy's rules about each subject and makes findings of the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from datetime import date
from typing import TYPE_CHECKING, Any

from safecelery.lint.finding import Finding
from safecelery.lint.fix.table import is_fixable
from safecelery.policy.document import Level
from safecelery.policy.facts import SuppressionFacts, VerdictFacts
from safecelery.policy.gate import Violation, evaluate, examine
from safecelery.policy.profile import Policy
from safecelery.policy.rules.abstention import UNDECIDED

if TYPE_CHECKING:
    from safecelery.lint.project.facts import Subject

__all__ = ["Judge"]


class Judge:
    """One policy at work."""

    def __init__(self, policy: Policy, *, today: date) -> None:
        self.policy = policy
        self.today = today
        self.findings: list[Finding] = []
        self.undecided: list[Finding] = []
        self.suppressed: list[Finding] = []
        self._open: dict[tuple[str, str, str], tuple[Finding, list[str]]] = {}
        self._seen: set[tuple[str, str, int, int, str, str]] = set()
        self.active = {code for code, level in policy.levels.items() if level is not Level.OFF}

    def ask(self, subject: Subject) -> None:
        """Every active rule for this type of facts."""
        if type(subject.facts) not in self.policy.plans:
            return
        report = examine(subject.facts, self.policy, today=self.today)
        for violation in (*report.violations, *report.warnings):
            self._add(self.findings, subject, violation)
        for waived in report.waived:
            self._add(self.suppressed, subject, waived.violation)
        for violation in report.unknowns:
            self._leave_open(subject, violation)

    def apply_comments(self, comments: Mapping[str, Any], *, unread: Set[str]) -> None:
        """Take out what comments excuse, and report comments that are at fault."""
        from safecelery.lint.suppress import apply

        self.undecided = [finding for finding, _ in self._open.values()]
        if not comments:
            return
        done = apply([*self.findings, *self.undecided], comments, active=self.active, unread=unread)
        self.findings = [finding for finding in done.kept if finding.code != UNDECIDED.code]
        self.undecided = [finding for finding in done.kept if finding.code == UNDECIDED.code]
        self.suppressed += done.suppressed
        if SuppressionFacts in self.policy.plans:
            for complaint in done.complaints:
                report = evaluate(complaint, self.policy, today=self.today)
                self.findings += [_finding(violation) for violation in (*report.violations, *report.warnings)]

    def _add(self, into: list[Finding], subject: Subject, violation: Violation) -> None:
        chain, env = subject.because(violation.message)
        where = violation.where
        if subject.points_at_value:
            for _, value in subject.mentioned(violation.message):
                place = next((link for link in value.because if link.file and link.line), None)
                if place is not None:
                    where = type(where)(place.file, place.line)
                    break
        key = (violation.code, where.file, where.line, subject.column, violation.subject, violation.message)
        if key in self._seen:
            return
        self._seen.add(key)
        level = violation.level
        if env and level is Level.ERROR:
            level = (
                Level.WARN
            )  # it holds for the default only: where the program runs, the environment may say otherwise
        into.append(
            Finding(
                code=violation.code,
                name=violation.name,
                severity=violation.severity,
                level=level,
                message=violation.message,
                fix=violation.fix,
                path=where.file,
                line=where.line,
                column=subject.column,
                subject=violation.subject,
                because=tuple(link for link in chain if (link.file, link.line) != (where.file, where.line)),
                env=env,
                fixable=is_fixable(violation.code),
            )
        )

    def _leave_open(self, subject: Subject, violation: Violation) -> None:
        """One finding for all rules that the same expression keeps open for the same subject."""
        level = self.policy.levels.get(UNDECIDED.code, Level.OFF)
        if level is Level.OFF or isinstance(subject.facts, VerdictFacts):
            return
        blockers = subject.blockers(violation.message)
        why = " and ".join(f"'{words}'" for words in blockers) or _reason(violation.message)
        key = (violation.where.file, violation.subject, why)
        if key not in self._open:
            chain, env = subject.because(violation.message)
            self._open[key] = (
                Finding(
                    code=UNDECIDED.code,
                    name=UNDECIDED.name,
                    severity=UNDECIDED.severity,
                    level=level,
                    message="",
                    fix=UNDECIDED.fix,
                    path=violation.where.file,
                    line=violation.where.line,
                    column=subject.column,
                    subject=violation.subject,
                    because=chain,
                    env=env,
                    blocked_by=why,
                    rule=violation.code,
                ),
                [],
            )
        finding, codes = self._open[key]
        if violation.code not in codes:
            codes.append(violation.code)
        from dataclasses import replace

        verdicts = ", ".join(codes)
        message = f"{violation.subject}: {verdicts} cannot be decided, because {why} cannot be read"
        self._open[key] = (replace(finding, message=message), codes)


def _reason(message: str) -> str:
    """What the rule says it could not determine."""
    match = re.search(r"is unknown \((.*)\)$", message, re.DOTALL)
    text = match.group(1) if match else message
    return text.removesuffix(" cannot be determined")


def _finding(violation: Violation) -> Finding:
    return Finding(
        code=violation.code,
        name=violation.name,
        severity=violation.severity,
        level=violation.level,
        message=violation.message,
        fix=violation.fix,
        path=violation.where.file,
        line=violation.where.line,
        subject=violation.subject,
    )
