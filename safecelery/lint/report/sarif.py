"""SARIF 2.1.0 (OASIS standard), as code scanning services read it.

An undecided one is a result of kind "open" (section 3.27.9), an excused one carries a suppression (3.35), what could
not be read is a notification of the run's invocation (3.20.21), which then was not successful.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import quote

from safecelery._version import __version__
from safecelery.lint.finding import Finding, LintResult
from safecelery.lint.report import rulebook
from safecelery.lint.report.characters import encodable
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.style import level_word
from safecelery.policy.rule import Severity

__all__ = ["render"]

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BASE: Final = "SRCROOT"
_SECURITY_SEVERITY: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.5",
}
"""Inside the bands by which GitHub turns the number back into a word: over 9.0, 7.0, 4.0, 0.1."""


def render(result: LintResult, options: RenderOptions) -> str:
    """One run. Rules that nothing breaks are left out."""
    rules = rulebook.rules_met(result)
    index = {rule.code: number for number, rule in enumerate(rules)}
    results = [_result(finding, index, None) for finding in result.findings]
    results += [_open(finding, index) for finding in result.undecided]
    results += [_result(finding, index, _suppression(finding)) for finding in result.suppressed]
    baseline = {"kind": "external", "status": "accepted", "justification": "It is in the baseline."}
    results += [_result(finding, index, baseline) for finding in result.baselined]
    driver = {"name": "safecelery", "version": __version__, "rules": [_rule(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "safecelery-lint/"},
        "originalUriBaseIds": {_BASE: {"description": {"text": "The directory the run started in."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result)],
        "results": results,
        "properties": {"policy": encodable(result.policy), "files": result.files, "tasks": len(result.tasks)},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True) + "\n"


def _rule(rule: rulebook.About) -> dict[str, Any]:
    page = encodable(rulebook.page(rule.code))
    short = f"It {rule.message}" if rule.message else rule.name or rule.code
    cwes = sorted(set(re.findall(r"CWE-(\d+)", page)), key=int)
    entry: dict[str, Any] = {
        "id": encodable(rule.code),
        "shortDescription": {"text": encodable(short)},
        "help": {"text": encodable(f"Fix: {rule.fix}" if rule.fix else short)},
        "defaultConfiguration": {"level": "error" if rule.level.value == "error" else "warning"},
        "properties": {
            "security-severity": _SECURITY_SEVERITY[rule.severity],
            "problem.severity": "error" if rule.level.value == "error" else "warning",
            "precision": "high",
            "tags": ["security", rule.family, *(f"external/cwe/cwe-{number}" for number in cwes)],
        },
    }
    if rule.name:
        entry["name"] = encodable(rule.name)
    if page:
        entry["help"]["markdown"] = page
    return entry


def _result(finding: Finding, index: dict[str, int], suppression: dict[str, Any] | None) -> dict[str, Any]:
    place = _location(finding.path, finding.line, finding.column)
    if finding.subject:
        place["logicalLocations"] = [{"fullyQualifiedName": encodable(finding.subject)}]
    entry: dict[str, Any] = {
        "ruleId": encodable(finding.code),
        "ruleIndex": index[finding.code],
        "level": level_word(finding),
        "message": {"text": _message(finding.message)},
        "locations": [place],
        "partialFingerprints": {"safecelery/v1": finding.fingerprint},
        "properties": {
            "severity": str(finding.severity),
            "fix": encodable(finding.fix),
            "fixable": finding.fixable,
            "env": [encodable(name) for name in finding.env],
        },
    }
    if finding.because:
        chain = [_location(link.file, link.line, 0, link.what) for link in finding.because]
        entry["relatedLocations"] = [{"id": number, **link} for number, link in enumerate(chain, 1)]
        # From where the value was written to where it does harm.
        steps = [*reversed(chain), _location(finding.path, finding.line, finding.column, finding.message)]
        entry["codeFlows"] = [{"threadFlows": [{"locations": [{"location": step} for step in steps]}]}]
    if suppression is not None:
        entry["suppressions"] = [suppression]
    return entry


def _open(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    entry = _result(finding, index, None)
    entry["kind"] = "open"
    entry["level"] = "none"  # required of every kind but "fail"
    entry["properties"]["rule"] = encodable(rulebook.decided_rule(finding))
    if finding.blocked_by:
        entry["properties"]["blockedBy"] = encodable(finding.blocked_by)
    return entry


def _suppression(finding: Finding) -> dict[str, Any]:
    entry = {"kind": "external" if finding.waived else "inSource", "status": "accepted"}
    return {**entry, "justification": encodable(finding.reason)} if finding.reason else entry


def _invocation(result: LintResult) -> dict[str, Any]:
    unread = [
        {
            "level": "error",
            "message": {"text": _message(item.message)},
            "descriptor": {"id": "unread"},
            "locations": [_location(item.path, item.line, 0)],
        }
        for item in result.unread
    ]
    notes = [{"level": "note", "message": {"text": _message(note)}} for note in result.notes]
    return {
        "executionSuccessful": not result.unread,
        "exitCode": result.exit_status,
        "toolExecutionNotifications": unread,
        "toolConfigurationNotifications": notes,
    }


def _location(path: str, line: int, column: int, text: str = "") -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(path)}
    if line:
        physical["region"] = {"startLine": line} | ({"startColumn": column} if column else {})
    location: dict[str, Any] = {"physicalLocation": physical}
    if text:
        location["message"] = {"text": _message(text)}
    return location


def _artifact(path: str) -> dict[str, str]:
    """A URI reference (RFC 3986): bytes of a name that are no UTF-8 are kept, as ``%FF``."""
    try:
        quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    except UnicodeEncodeError:
        quoted = quote(encodable(path), safe="/")
    if path.startswith("/"):
        return {"uri": f"file://{quoted}"}
    return {"uri": quoted or ".", "uriBaseId": _BASE}


def _message(text: str) -> str:
    """Plain text: what would be read as a link to a location (section 3.11.6) is escaped."""
    return re.sub(r"\[(?=[^\[\]]*\]\()", r"\\[", encodable(text)) or "-"
