"""One JSON object on each line, told apart by ``kind``; the last one is the summary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from safecelery.lint.finding import LintResult
from safecelery.lint.report.json_document import SCHEMA, finding_entry, summary_entry, unread_entry
from safecelery.lint.report.options import RenderOptions

__all__ = ["render"]


def render(result: LintResult, options: RenderOptions) -> Iterator[str]:
    """Kinds ``finding``, ``undecided``, ``suppressed``, ``baselined``, ``unread``, ``summary``."""
    kinds = {
        "finding": result.findings,
        "undecided": result.undecided,
        "suppressed": result.suppressed,
        "baselined": result.baselined,
    }
    for kind, findings in kinds.items():
        for finding in findings:
            yield _line(kind, finding_entry(finding))
    for item in result.unread:
        yield _line("unread", unread_entry(item))
    yield _line("summary", {"schema": SCHEMA, **summary_entry(result)})


def _line(kind: str, entry: dict[str, Any]) -> str:
    return json.dumps({"kind": kind, **entry}, ensure_ascii=True) + "\n"
