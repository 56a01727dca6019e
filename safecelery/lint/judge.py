"""Asks the policy's rules about each subject and makes findings of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date
from typing import TYPE_CHECKING, Any

from safecelery.lint.echoes import without_echoes
from safecelery.lint.finding import Finding
from safecelery.lint.fix.table import is_fixable
from safecelery.lint.sameness import are_same
from safecelery.lint.undecided import OpenVerdicts
from safecelery.policy.document import Level
from safecelery.policy.facts import SuppressionFacts, VerdictFacts
from safecelery.policy.gate import Report, Violation, evaluate, examine
from safecelery.policy.profile import Policy
from safecelery.policy.rules import BY_CODE
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
        level = policy.levels.get(UNDECIDED.code, Level.OFF)
        self._open = None if level is Level.OFF else OpenVerdicts(level)
        self._seen: set[tuple[str, str, int, int, str, str]] = set()
        self._answers = _Answers()
        self.active = {code for code, level in policy.levels.items() if level is not Level.OFF}

    def ask(self, subject: Subject) -> None:
        """Every active rule for this type of facts."""
        if type(subject.facts) not in self.policy.plans:
            return
        report = self._answers.find(subject)
        if report is None:  # else what is wrong has been said
            report = examine(subject.facts, self.policy, today=self.today)
            self._answers.keep(subject, report)
            for violation in (*report.violations, *report.warnings):
                self._add(self.findings, subject, violation)
            for waived in report.waived:
                self._add(self.suppressed, subject, waived.violation)
        for violation in report.unknowns:
            if self._open is not None and not isinstance(subject.facts, VerdictFacts):
                self._open.add(subject, violation)

    def apply_comments(self, comments: Mapping[str, Any], *, unread: Set[str]) -> None:
        """Take out what comments excuse, and report comments that are at fault."""
        from safecelery.lint.suppress.apply import apply

        undecided = list(self._open.found.values()) if self._open is not None else []
        done = None
        if comments:
            done = apply([*self.findings, *undecided], comments, active=self.active, unread=unread)
            self.findings = [finding for finding in done.kept if finding.code != UNDECIDED.code]
            undecided = [finding for finding in done.kept if finding.code == UNDECIDED.code]
        self.findings = without_echoes(self.findings)
        if self._open is not None:
            self.undecided = self._open.gathered(undecided)
        if done is None:
            return
        self.suppressed += done.suppressed
        if SuppressionFacts in self.policy.plans:
            for complaint in done.complaints:
                report = evaluate(complaint, self.policy, today=self.today)
                self.findings += [_finding(violation) for violation in (*report.violations, *report.warnings)]

    def _add(self, into: list[Finding], subject: Subject, violation: Violation) -> None:
        spoken_of = _detail(violation)
        chain, env = subject.because(spoken_of)
        where = violation.where
        if subject.points_at_value:
            for _, value in subject.mentioned(spoken_of):
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
            # It holds for the default only: where the program runs, the environment may say otherwise.
            level = Level.WARN
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
                cause=subject.cause(violation.message),
            )
        )


class _Answers:
    """What the rules said of the last subject. A shared task is a subject under each app that may run it, mostly with
    facts that came up before; and what is found of the same words at the same place is reported once.
    """

    __slots__ = ("_about", "_given")

    def __init__(self) -> None:
        self._about: object = None
        self._given: list[tuple[Subject, Report]] = []

    def find(self, subject: Subject) -> Report | None:
        """The report of a subject of the same facts and place: rules see these and nothing else."""
        if subject.points_at_value or subject.facts.where != self._about:
            return None
        for earlier, report in self._given:
            if earlier.column == subject.column and are_same(earlier.facts, subject.facts):
                return report
        return None

    def keep(self, subject: Subject, report: Report) -> None:
        """Remember it until another place is spoken of."""
        if subject.facts.where != self._about:
            self._about = subject.facts.where
            self._given.clear()
        if not subject.points_at_value:
            self._given.append((subject, report))


def _detail(violation: Violation) -> str:
    """The message without the rule's fixed sentence, which may hold a setting's name by chance."""
    sentence = f"{violation.subject} {BY_CODE[violation.code].message}"
    rest = violation.message.removeprefix(sentence)
    return violation.message if rest == violation.message else f"{violation.subject}{rest}"


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
