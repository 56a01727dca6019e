"""One line for each finding: ``shop/tasks.py:12:1: SFC401 error high: ...``."""

from __future__ import annotations

from collections.abc import Iterator

from safecelery.lint.finding import LintResult
from safecelery.lint.report.characters import visible
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.style import level_word, painter
from safecelery.lint.report.summary import footer, unread_lines
from safecelery.lint.report.together import together

__all__ = ["render"]


def render(result: LintResult, options: RenderOptions) -> Iterator[str]:
    """A line each, a place first, as editors and grep expect it."""
    paint = painter(options.colour)
    for finding in together(result.findings):
        place = f"{visible(finding.path)}:{max(finding.line, 1)}:{finding.column}"
        word = level_word(finding)
        fixable = " [*]" if finding.fixable else ""
        yield (
            f"{paint('place', place)}: {paint(word, visible(finding.code))} {word} {finding.severity}:"
            f"{fixable} {visible(finding.message)}\n"
        )
    yield from unread_lines(result, paint)
    yield from footer(result, options)
