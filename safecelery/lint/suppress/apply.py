"""Findings and comments together: what is reported, what is excused, and which comments are at fault."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Final

from safecelery.deferred import dataclass
from safecelery.lint.config.selectors import codes_of, no_such_rule
from safecelery.lint.finding import Finding
from safecelery.lint.suppress.instruction import Comment
from safecelery.policy.facts import UNKNOWN, Place, SuppressionFacts
from safecelery.policy.rules.abstention import UNDECIDED
from safecelery.policy.rules.suppressions import RULES
from safecelery.policy.rules.waivers import WAIVER_EXPIRED

__all__ = ["Suppressed", "apply"]

_NEVER: Final = frozenset({WAIVER_EXPIRED.code, *(rule.code for rule in RULES)})
"""An excuse for a bad excuse is none."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What comments made of the findings."""

    kept: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    complaints: tuple[SuppressionFacts, ...]
    """One for each comment: what the rules SFC003, SFC004 and SFC005 are asked about."""


@dataclass(slots=True)
class _Excuse:
    comment: Comment
    known: dict[str, frozenset[str]]
    """Selector as written -> codes."""
    used: set[str] = field(default_factory=set)
    """Selectors that excused something, or may have."""

    def covers(self, line: int) -> bool:
        return self.comment["file"] or any(first <= line <= last for first, last in self.comment["lines"])

    def nearness(self, line: int) -> tuple[bool, int]:
        return self.comment["file"], abs(self.comment["line"] - line)


def apply(
    findings: Iterable[Finding],
    comments: Mapping[str, Sequence[Comment]],
    *,
    active: Collection[str],
    unread: Collection[str] = (),
) -> Suppressed:
    """Take out the findings that a comment excuses. ``comments`` is by path as findings have it.

    ``findings`` holds the undecided ones (SFC002) too: where a verdict is open, a comment is not called unused.
    ``active`` are the codes of the rules that ran, ``unread`` the paths that could not be read to their end.
    """
    excuses = {
        path: [_excuse(comment) for comment in found if not comment["problem"]] for path, found in comments.items()
    }
    kept: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in findings:
        (suppressed if _excused(finding, excuses.get(finding.path, ())) else kept).append(finding)
    complaints = []
    for path, found in comments.items():
        obeyed = iter(excuses[path])
        for comment in found:
            excuse = None if comment["problem"] else next(obeyed)
            complaints.append(_facts(path, comment, excuse, active, path in unread))
    return Suppressed(tuple(kept), tuple(suppressed), tuple(complaints))


def _excuse(comment: Comment) -> _Excuse:
    # "SFC" would stand for every rule there is and will be.
    known = {code: frozenset() if code == "SFC" else codes_of(code) - _NEVER for code in comment["codes"]}
    return _Excuse(comment, known)


def _excused(finding: Finding, excuses: Sequence[_Excuse]) -> bool:
    covering = [excuse for excuse in excuses if excuse.covers(finding.line)]
    for excuse in sorted(covering, key=lambda excuse: excuse.nearness(finding.line)):
        for selector, codes in excuse.known.items():
            if finding.code in codes:
                excuse.used.add(selector)
                return True
    if finding.code == UNDECIDED.code:
        for excuse in covering:  # it may be needed: what would tell cannot be read
            excuse.used.update(excuse.known)
    return False


def _facts(
    path: str, comment: Comment, excuse: _Excuse | None, active: Collection[str], unread: bool
) -> SuppressionFacts:
    where = Place(path, comment["line"])
    if excuse is None:
        return SuppressionFacts(where=where, text=comment["text"], problem=comment["problem"])
    never = [selector for selector in excuse.known if codes_of(selector) and codes_of(selector) <= _NEVER]
    if never:
        problem = f"{', '.join(never)} cannot be excused by a comment"
        return SuppressionFacts(where=where, text=comment["text"], problem=problem)
    unused = tuple(
        selector
        for selector, codes in excuse.known.items()
        if selector not in excuse.used and not codes.isdisjoint(active)
    )
    return SuppressionFacts(
        where=where,
        text=comment["text"],
        unknown=tuple(_unknown(selector) for selector, codes in excuse.known.items() if not codes),
        unused=UNKNOWN if unused and unread else unused,
    )


def _unknown(selector: str) -> str:
    return "'SFC' (name a family at least: 'SFC4')" if selector == "SFC" else no_such_rule(selector)
