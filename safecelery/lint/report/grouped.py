"""One line for each finding, under the name of its file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from safecelery.lint.finding import LintResult
from safecelery.lint.report.characters import visible
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.style import level_word, painter
from safecelery.lint.report.summary import counted, footer, unread_lines
from safecelery.lint.report.together import together

__all__ = ["render"]


def render(result: LintResult, options: RenderOptions) -> Iterator[str]:
    """Columns of place, code and level; the files in the order of the result."""
    paint = painter(options.colour)
    shown = sorted(together(result.findings), key=lambda finding: finding.path)
    for path, group in groupby(shown, key=lambda finding: finding.path):
        findings = list(group)
        places = [f"{finding.line}:{finding.column}" if finding.line else "-" for finding in findings]
        wide = max(len(place) for place in places)
        yield f"{paint('bold', visible(path))}  {paint('dim', counted(len(findings), 'finding'))}\n"
        for place, finding in zip(places, findings, strict=True):
            word = level_word(finding)
            yield (
                f"  {paint('place', place.rjust(wide))}  {paint(word, visible(finding.code))}  {word:<7}  "
                f"{finding.severity:<8}  {visible(finding.message)}\n"
            )
        yield "\n"
    if result.unread:
        yield from unread_lines(result, paint)
        yield "\n"
    yield from footer(result, options)
