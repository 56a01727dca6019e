"""0xx: the policy's own housekeeping."""

from __future__ import annotations

from safecelery.policy.facts import WaiverFacts
from safecelery.policy.limits import Limits
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES", "WAIVER_EXPIRED"]


def _expired(waiver: WaiverFacts, _: Limits) -> Verdict:
    if waiver.today <= waiver.expires:  # the last day counts
        return PASS
    return Fail(f"it expired on {waiver.expires.isoformat()}")


WAIVER_EXPIRED = Rule(
    code="SFC001",
    name="waiver-expired",
    subject=WaiverFacts,
    severity=Severity.MEDIUM,
    check=_expired,
    message="is no longer valid",
    fix="fix what it excused and remove it, or have its owner renew it with a new date",
)

RULES = (WAIVER_EXPIRED,)
