"""0xx: what could not be decided. Only the engine makes these facts: one for each verdict that had to be left open."""

from __future__ import annotations

from safecelery.policy.facts import VerdictFacts
from safecelery.policy.limits import Limits
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES", "UNDECIDED"]


def _decided(verdict: VerdictFacts, _: Limits) -> Verdict:
    return Fail(verdict.because) if verdict.because else PASS


UNDECIDED = Rule(
    code="SFC002",
    name="verdict-undecided",
    subject=VerdictFacts,
    severity=Severity.LOW,
    check=_decided,
    message="cannot be decided",
    fix="state the value where it can be read, or tell the linter what to assume",
)

RULES = (UNDECIDED,)
