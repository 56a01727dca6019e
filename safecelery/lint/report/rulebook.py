"""What a report says about a rule, beside what a finding says: read from the catalogue and the rule's page."""

from __future__ import annotations

import re
from collections.abc import Iterable

from safecelery.deferred import dataclass
from safecelery.lint.finding import Finding, LintResult
from safecelery.policy.document import Level
from safecelery.policy.rule import Severity

__all__ = ["FAMILIES", "About", "about", "catalogued", "decided_rule", "page", "per_task", "rules_met"]

FAMILIES = {
    "0": "Policy",
    "1": "Serialization",
    "2": "Transport",
    "3": "Signing",
    "4": "Time limits",
    "5": "Delivery",
    "6": "Retries",
    "7": "Task code",
    "8": "Results",
    "9": "Operations",
}
"""The first digit of a code."""


@dataclass(frozen=True, slots=True)
class About:
    """One rule, as a report shows it."""

    code: str
    name: str
    severity: Severity
    message: str
    """A phrase whose subject is the thing checked; "" if the catalogue does not know the code."""
    fix: str
    level: Level
    """The level its findings have in this run."""

    @property
    def family(self) -> str:
        """``Time limits``."""
        return FAMILIES.get(self.code[3:4], "Other")


def decided_rule(finding: Finding) -> str:
    """The code of the rule the finding is about, also when it could not be decided."""
    return finding.rule or finding.code


def catalogued(code: str) -> tuple[str, str, str, Severity] | None:
    """Name, message, fix and severity out of the catalogue; None for a code it does not have."""
    from safecelery.policy.rules import BY_CODE

    rule = BY_CODE.get(code)
    return (rule.name, rule.message, rule.fix, rule.severity) if rule else None


def about(code: str, finding: Finding | None = None) -> About:
    """What is known of a rule; ``finding`` fills in for a code that is not in the catalogue."""
    level = finding.level if finding else Level.ERROR
    known = catalogued(code)
    if known:
        name, message, fix, severity = known
        return About(code, name, finding.severity if finding else severity, message, fix, level)
    if finding and finding.code == code:
        return About(code, finding.name, finding.severity, "", finding.fix, level)
    return About(code, "", finding.severity if finding else Severity.LOW, "", "", level)


def rules_met(result: LintResult) -> list[About]:
    """Every rule that some finding of the run names by its code, in order of code."""
    met: dict[str, Finding] = {}
    lists: Iterable[tuple[Finding, ...]] = (result.findings, result.undecided, result.suppressed, result.baselined)
    for findings in lists:
        for finding in findings:
            met.setdefault(finding.code, finding)
    return [about(code, met[code]) for code in sorted(met)]


def per_task(code: str) -> bool:
    """Whether the rule looks at single tasks, so that "kept" says something about a task."""
    from safecelery.policy.facts import TaskFacts
    from safecelery.policy.rules import BY_CODE

    rule = BY_CODE.get(code)
    return rule is not None and rule.subject is TaskFacts


def page(code: str) -> str:
    """The rule's page in Markdown; "" if there is none."""
    from safecelery.errors import PolicyFileError
    from safecelery.policy.shipped import shipped_directory

    if not re.fullmatch(r"SFC\d{3}", code, re.ASCII):
        return ""
    try:
        found = sorted((shipped_directory() / "rules").glob(f"{code}-*.md"))
        return found[0].read_text("utf-8") if found else ""
    except (OSError, ValueError, PolicyFileError):
        return ""
