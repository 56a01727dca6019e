"""0xx: comments that excuse findings. Each says what it excuses and why, and is there for something."""

from __future__ import annotations

from safecelery.policy.facts import UNKNOWN, SuppressionFacts
from safecelery.policy.limits import Limits
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict

__all__ = ["RULES"]


def _complete(comment: SuppressionFacts, _: Limits) -> Verdict:
    return Fail(comment.problem) if comment.problem else PASS


def _used(comment: SuppressionFacts, _: Limits) -> Verdict:
    if comment.unused is UNKNOWN:
        return Undecided("the file could not be read to its end")
    if comment.unused:
        return Fail(f"nothing here breaks {', '.join(comment.unused)}")
    return PASS


def _known(comment: SuppressionFacts, _: Limits) -> Verdict:
    return Fail(", ".join(comment.unknown)) if comment.unknown else PASS


RULES = (
    Rule(
        code="SFC003",
        name="suppression-without-reason",
        subject=SuppressionFacts,
        severity=Severity.MEDIUM,
        check=_complete,
        message="does nothing, because it does not say what it excuses and why",
        fix="write '# safecelery: ignore[CODE] reason', or remove the comment",
    ),
    Rule(
        code="SFC004",
        name="suppression-unused",
        subject=SuppressionFacts,
        severity=Severity.LOW,
        check=_used,
        message="excuses what is no longer there",
        fix="remove the comment, or the codes that nothing here breaks",
    ),
    Rule(
        code="SFC005",
        name="suppression-unknown-code",
        subject=SuppressionFacts,
        severity=Severity.MEDIUM,
        check=_known,
        message="names a rule that does not exist",
        fix="correct the code; 'safecelery rules' lists them all",
    ),
)
