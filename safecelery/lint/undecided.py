"""Verdicts that had to stay open, told by what kept them open: one finding for each expression.

Reported is what an expression of the linted project blocks, for that is what somebody can do something about: write it
so that it can be read, or tell the linter what to assume. A fact that no tree holds (who reads a result, what an image
does, an argument that is worked out at run time) opens no verdict here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from safecelery.deferred import dataclass
from safecelery.lint.finding import Finding
from safecelery.policy.facts import (
    AppFacts,
    CallFacts,
    CodeFacts,
    DeployFacts,
    Place,
    QueueFacts,
    RouteFacts,
    ScheduleFacts,
    SettingsFacts,
    TaskFacts,
    TransportFacts,
)
from safecelery.policy.gate import Violation
from safecelery.policy.rules.abstention import UNDECIDED

if TYPE_CHECKING:
    from safecelery.lint.project.facts import Subject
    from safecelery.policy.document import Level

__all__ = ["OpenVerdicts"]

_NOUNS: Final = {
    TaskFacts: "task", SettingsFacts: "app", AppFacts: "app", QueueFacts: "queue", RouteFacts: "route",
    ScheduleFacts: "beat entry", CallFacts: "call", TransportFacts: "connection", DeployFacts: "process",
}  # fmt: skip
_PLURALS: Final = {"beat entry": "beat entries", "process": "processes"}
_OF_A_CALL: Final = ("serializer", "time_limit", "soft_time_limit")
"""What a call may state that is a decision of the code. A countdown or an expiry is mostly worked out at run time."""
_COMMAND_LINE: Final = "a variable or template of the command line"

_Key = tuple[str, str, int, str]


@dataclass(slots=True)
class OpenVerdicts:
    """What came up so far: a finding for each subject and blocker, to be gathered after comments were looked at."""

    level: Level
    found: dict[_Key, Finding] = field(default_factory=dict)
    _about: dict[_Key, tuple[str, Place]] = field(default_factory=dict)
    """What kind of subject it is, and where the blocker was written."""

    def add(self, subject: Subject, violation: Violation) -> None:
        """Note a verdict that could not be reached."""
        why = _why(subject, violation)
        if not why:
            return
        covers = (violation.code, violation.subject, violation.where.file)
        key = (why, violation.where.file, violation.where.line, violation.subject)
        known = self.found.get(key)
        if known is not None:
            if covers not in known.covers:
                self.found[key] = replace(known, covers=(*known.covers, covers))
            return
        chain, env = subject.because(violation.message, concluded=True)
        chain = tuple(link for link in chain if link.file and link.line)
        where = violation.where
        if chain and not isinstance(subject.facts, CodeFacts | DeployFacts):
            where = Place(chain[0].file, chain[0].line)
        self._about[key] = _NOUNS.get(type(subject.facts), "place"), where
        self.found[key] = Finding(
            code=UNDECIDED.code,
            name=UNDECIDED.name,
            severity=UNDECIDED.severity,
            level=self.level,
            message="",
            fix=UNDECIDED.fix,
            path=violation.where.file,
            line=violation.where.line,
            column=subject.column,
            subject=violation.subject,
            because=tuple(link for link in chain if (link.file, link.line) != (where.file, where.line)),
            env=env,
            blocked_by=why,
            rule=violation.code,
            covers=(covers,),
        )

    def gathered(self, findings: Iterable[Finding]) -> list[Finding]:
        """One finding for each blocker among these, at the place where it was written."""
        groups: dict[tuple[str, bool], list[Finding]] = {}
        for finding in findings:
            noun, _ = self._about[_key(finding)]
            groups.setdefault((finding.blocked_by, noun == "place"), []).append(finding)
        return [self._together(why, group, in_code) for (why, in_code), group in groups.items()]

    def _together(self, why: str, group: list[Finding], in_code: bool) -> Finding:
        first = group[0]
        covers = tuple(dict.fromkeys(item for finding in group for item in finding.covers))
        codes = ", ".join(dict.fromkeys(code for code, _, _ in covers))
        who = self._who(group)
        if in_code:
            return replace(first, message=f"{who}: {codes} is not certain ({why})", covers=covers)
        place = next((at for item in group if (at := self._about[_key(item)][1]) != Place(item.path, item.line)), None)
        if place is None:  # else where the app is made, which comes before its tasks
            nearest = next((item for item in group if self._about[_key(item)][0] == "app"), first)
            place = Place(nearest.path, nearest.line)
        quoted = why if why == _COMMAND_LINE else f"'{why}'"
        return replace(
            first,
            message=f"{who}: {codes} cannot be decided, because {quoted} cannot be read",
            path=place.file,
            line=place.line,
            column=first.column if (place.file, place.line) == (first.path, first.line) else 1,
            subject=who,
            covers=covers,
        )

    def _who(self, group: list[Finding]) -> str:
        """``44 tasks, 2 apps``; a single one by its name."""
        if len({finding.subject for finding in group}) == 1 and len(group) == 1:
            return group[0].subject
        kinds: dict[str, list[str]] = {}
        for finding in group:
            noun, _ = self._about[_key(finding)]
            names = kinds.setdefault(noun, [])
            name = (
                f"{finding.subject} {finding.path}:{finding.line}" if noun in ("process", "call") else finding.subject
            )
            if name not in names and not (noun == "app" and finding.subject == "app"):
                names.append(name)
        return ", ".join(
            group[0].subject if len(kinds) == 1 and len(names) == 1 else _counted(len(names), noun)
            for noun, names in kinds.items()
            if names
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else _PLURALS.get(noun, noun + 's')}"


def _key(finding: Finding) -> _Key:
    return finding.blocked_by, finding.path, finding.line, finding.subject


def _why(subject: Subject, violation: Violation) -> str:
    """What blocks, as written; "" if it is nothing that was written down."""
    facts = subject.facts
    if isinstance(facts, CodeFacts):
        return facts.detail
    if isinstance(facts, DeployFacts):
        reason = violation.message.rpartition("is unknown (")[2]
        return _COMMAND_LINE if reason.startswith(("--", "the pool")) else ""
    blockers = subject.blockers(violation.message, _OF_A_CALL if isinstance(facts, CallFacts) else None)
    return " and ".join(dict.fromkeys(_COMMAND_LINE if _of_a_command(words) else words for words in blockers))


def _of_a_command(words: str) -> bool:
    return words.startswith("the command line at ") or (words.startswith("--") and " of the worker at " in words)
