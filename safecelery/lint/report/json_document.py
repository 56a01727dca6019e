"""One JSON document. Keys are only ever added within one number of ``schema``."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from safecelery._version import __version__
from safecelery.lint.finding import Finding, LintResult, TaskRow, Unread
from safecelery.lint.report.characters import encodable
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.style import level_word

__all__ = ["SCHEMA", "finding_entry", "render", "summary_entry", "task_entry", "unread_entry"]

SCHEMA: Final = 1
"""Raised when a key changes its meaning or goes away."""


def render(result: LintResult, options: RenderOptions) -> str:
    """ASCII only: whatever a text holds, the document can be printed anywhere and decoded by any parser."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": "safecelery", "version": __version__},
        "summary": summary_entry(result),
        "findings": [finding_entry(finding) for finding in result.findings],
        "undecided": [finding_entry(finding) for finding in result.undecided],
        "suppressed": [finding_entry(finding) for finding in result.suppressed],
        "baselined": [finding_entry(finding) for finding in result.baselined],
        "unread": [unread_entry(item) for item in result.unread],
        "tasks": [task_entry(row) for row in result.tasks],
        "rules": list(result.rules),
        "notes": [encodable(note) for note in result.notes],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def summary_entry(result: LintResult) -> dict[str, Any]:
    """The numbers of the run."""
    levels = Counter(level_word(finding) for finding in result.findings)
    return {
        "policy": encodable(result.policy),
        "exit_status": result.exit_status,
        "files": result.files,
        "tasks": len(result.tasks),
        "errors": levels["error"],
        "warnings": levels["warning"],
        "undecided": len(result.undecided),
        "suppressed": len(result.suppressed),
        "baselined": len(result.baselined),
        "unread": len(result.unread),
        "by_severity": dict(Counter(str(finding.severity) for finding in result.findings)),
        "by_rule": dict(sorted(Counter(encodable(finding.code) for finding in result.findings).items())),
        "seconds": round(result.seconds, 3),
    }


def finding_entry(finding: Finding) -> dict[str, Any]:
    """Every field of a finding, and its fingerprint."""
    return {
        "code": encodable(finding.code),
        "name": encodable(finding.name),
        "severity": str(finding.severity),
        "level": level_word(finding),
        "message": encodable(finding.message),
        "fix": encodable(finding.fix),
        "path": encodable(finding.path),
        "line": finding.line,
        "column": finding.column,
        "subject": encodable(finding.subject),
        "because": [
            {"file": encodable(link.file), "line": link.line, "what": encodable(link.what)} for link in finding.because
        ],
        "env": [encodable(name) for name in finding.env],
        "fixable": finding.fixable,
        "rule": encodable(finding.rule or finding.code),
        "blocked_by": encodable(finding.blocked_by),
        "covers": [
            {"rule": encodable(code), "subject": encodable(subject), "path": encodable(path)}
            for code, subject, path in finding.covers
        ],
        "cause": None
        if finding.cause is None
        else {
            "file": encodable(finding.cause.file),
            "line": finding.cause.line,
            "what": encodable(finding.cause.what),
        },
        "reason": encodable(finding.reason),
        "waived": finding.waived,
        "fingerprint": finding.fingerprint,
    }


def unread_entry(item: Unread) -> dict[str, Any]:
    """A file, or part of one, that could not be read."""
    return {"path": encodable(item.path), "line": item.line, "message": encodable(item.message)}


def task_entry(row: TaskRow) -> dict[str, Any]:
    """A task that was looked at."""
    return {
        "name": encodable(row.name),
        "path": encodable(row.path),
        "line": row.line,
        "app": encodable(row.app),
    }
