"""Workflow commands of GitHub Actions: annotations in a pull request.

Escapes as in ``escapeData`` and ``escapeProperty`` of actions/toolkit, packages/core/src/command.ts. GitHub shows the
first ten errors and the first ten warnings of a step only, so the worst come first.
"""

from __future__ import annotations

from collections.abc import Iterator

from safecelery.lint.finding import SEVERITY_ORDER, Finding, LintResult
from safecelery.lint.report.characters import visible
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.style import level_word

__all__ = ["render"]


def render(result: LintResult, options: RenderOptions) -> Iterator[str]:
    """One command, and so one line, for each unread file and each finding."""
    for item in result.unread:
        yield _command("error", item.path, item.line, 0, "safecelery: unread", visible(item.message))
    for finding in sorted(result.findings, key=_worst_first):
        text = f"{visible(finding.message)}\nhelp: {visible(finding.fix)}"
        if finding.because:
            text += "\nbecause: " + "; ".join(visible(str(link)) for link in finding.because)
        title = f"{finding.code} {finding.name} ({finding.severity})"
        yield _command(level_word(finding), finding.path, finding.line, finding.column, title, text)


def _worst_first(finding: Finding) -> tuple[str, int]:
    return level_word(finding), SEVERITY_ORDER.index(finding.severity)


def _command(word: str, path: str, line: int, column: int, title: str, text: str) -> str:
    where = f"file={_property(path)}"
    if line:
        where += f",line={line}" + (f",col={column}" if column else "")
    return f"::{word} {where},title={_property(title)}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
