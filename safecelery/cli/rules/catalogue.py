"""The catalogue as rows, JSON and Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from safecelery.policy import facts
from safecelery.policy.families import FAMILIES
from safecelery.policy.profile import Policy, load_policy
from safecelery.policy.rule import Rule
from safecelery.policy.rules import CATALOGUE
from safecelery.policy.shipped import SHIPPED

__all__ = ["SUBJECTS", "as_json", "as_markdown", "as_rows", "fixable_codes"]

SUBJECTS: Final[Mapping[type, str]] = {
    facts.TaskFacts: "task",
    facts.CallFacts: "call",
    facts.AppFacts: "app",
    facts.TransportFacts: "connection",
    facts.SettingsFacts: "settings",
    facts.ScheduleFacts: "schedule",
    facts.CodeFacts: "code",
    facts.DeployFacts: "process",
    facts.PackageFacts: "package",
    facts.FileFacts: "file",
    facts.QueueFacts: "queue",
    facts.RouteFacts: "route",
    facts.TrustFacts: "trust store",
    facts.SuppressionFacts: "comment",
    facts.VerdictFacts: "verdict",
    facts.WaiverFacts: "waiver",
}
"""What a rule looks at, in one word."""

_HEAD = ("CODE", "NAME", "SEVERITY", "LEVEL", "FIX", "CHECKS", "WHAT IS WRONG")


def fixable_codes() -> frozenset[str]:
    """The rules that ``safecelery lint --fix`` or ``--unsafe-fixes`` has an edit for."""
    from safecelery.lint.fix.table import FIXERS

    return frozenset(FIXERS)


def as_rows(policy: Policy) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the table."""
    fixable = fixable_codes()
    rows: list[tuple[str, ...]] = [
        (
            rule.code, rule.name, rule.severity.value, policy.levels[rule.code].value,
            "yes" if rule.code in fixable else "", SUBJECTS[rule.subject], rule.message,
        )
        for rule in sorted(CATALOGUE, key=_code)
    ]  # fmt: skip
    return _HEAD, rows


def as_json(policy: Policy) -> dict[str, Any]:
    """For tools. ``level`` is the policy's; ``page`` is Markdown."""
    from safecelery.cli.rules.page import page_text

    fixable = fixable_codes()
    return {
        "schema": 1,
        "policy": policy.name,
        "rules": [
            {
                "code": rule.code,
                "name": rule.name,
                "family": FAMILIES[rule.family],
                "severity": rule.severity.value,
                "level": policy.levels[rule.code].value,
                "fixable": rule.code in fixable,
                "subject": SUBJECTS[rule.subject],
                "message": rule.message,
                "fix": rule.fix,
                "page": page_text(rule),
            }
            for rule in sorted(CATALOGUE, key=_code)
        ],
    }


def as_markdown() -> str:
    """``docs/rules.md``: every rule by family, with its level under each shipped policy and a link to its page."""
    policies = [load_policy(name) for name in SHIPPED]
    fixable = fixable_codes()
    lines = [
        "# Rules",
        "",
        "<!-- Made by `safecelery rules --format markdown`; scripts/generated.sh writes it anew. -->",
        "",
        f"{len(CATALOGUE)} rules. Each links to its page: why it matters, bad and good code, how to fix it, when it",
        "stays silent. The same text is shown by `safecelery rules CODE`. The columns on the right give the rule's",
        "level in each policy that is shipped: `error` fails a run, `warn` does not.",
        "",
    ]
    for family, title in FAMILIES.items():
        rules = sorted((rule for rule in CATALOGUE if rule.family is family), key=_code)
        if not rules:
            continue
        lines += [f"## {family.value}xx {title}", ""]
        lines.append("| Code | Name | Severity | Checks | What is wrong | Fix | " + " | ".join(SHIPPED) + " |")
        lines.append("| --- " * (6 + len(SHIPPED)) + "|")
        for rule in rules:
            levels = " | ".join(policy.levels[rule.code].value for policy in policies)
            link = f"[{rule.code}](../policies/rules/{rule.code}-{rule.name}.md)"
            fix = "yes" if rule.code in fixable else ""
            cells = (link, rule.name, rule.severity.value, SUBJECTS[rule.subject], _cell(rule.message), fix, levels)
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _code(rule: Rule[Any]) -> str:
    return rule.code


def _cell(text: str) -> str:
    return re.sub(r"([|<*_])", r"\\\1", text)
