"""GitLab's code quality report.

A list of objects with ``description``, ``check_name``, ``fingerprint``, ``severity`` and ``location``, as
docs.gitlab.com/ci/testing/code_quality describes its format. GitLab drops one of two equal fingerprints.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from safecelery.lint.finding import Finding, LintResult
from safecelery.lint.report.characters import encodable
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.rulebook import decided_rule
from safecelery.policy.rule import Severity

__all__ = ["render"]

_SEVERITIES: Final = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
}


def render(result: LintResult, options: RenderOptions) -> str:
    """Findings, the undecided as ``info``, and what could not be read."""
    issues = [_issue(finding, _SEVERITIES[finding.severity]) for finding in result.findings]
    issues += [_issue(finding, "info") for finding in result.undecided]
    for number, item in enumerate(result.unread):
        text = "\0".join(("unread", item.path, str(item.line), item.message, str(number)))
        issues.append(
            {
                "description": f"unread: {encodable(item.message)}",
                "check_name": "unread",
                "fingerprint": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32],
                "severity": "critical",
                "location": {"path": encodable(item.path), "lines": {"begin": max(item.line, 1)}},
            }
        )
    return json.dumps(issues, indent=2, ensure_ascii=True) + "\n"


def _issue(finding: Finding, severity: str) -> dict[str, Any]:
    code = decided_rule(finding)
    return {
        "description": f"{encodable(code)} {encodable(finding.message)}; fix: {encodable(finding.fix)}",
        "check_name": f"{encodable(code)} {encodable(finding.name)}",
        "fingerprint": finding.fingerprint,
        "severity": severity,
        "location": {"path": encodable(finding.path), "lines": {"begin": max(finding.line, 1)}},
    }
