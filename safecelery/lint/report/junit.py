"""JUnit's XML: a suite for each file, a case for each finding.

What fails the run is a failure; a warning, an undecided and an excused one is a skipped case that says so, for the
format has no word between passed and failed; what could not be read is an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from safecelery.deferred import dataclass
from safecelery.lint.finding import Finding, LintResult
from safecelery.lint.report.characters import visible
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.rulebook import decided_rule
from safecelery.lint.report.style import level_word

__all__ = ["render"]


@dataclass(frozen=True, slots=True)
class _Case:
    path: str
    line: int
    name: str
    outcome: str
    kind: str
    message: str
    detail: str


def render(result: LintResult, options: RenderOptions) -> Iterator[str]:
    """A passed case says that nothing was found: some services take a report without cases for a broken run."""
    suites: dict[str, list[_Case]] = {}
    for case in _cases(result):
        suites.setdefault(case.path, []).append(case)
    everything = [case for cases in suites.values() for case in cases]
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    counts = _counts(everything or [_Case("", 0, "", "", "", "", "")])
    yield f'<testsuites name="safecelery lint" {counts} time="{result.seconds:.3f}">\n'
    for path, cases in suites.items():
        yield f'  <testsuite name="{_attribute(path)}" {_counts(cases)} time="0">\n'
        for case in cases:
            yield from _element(case)
        yield "  </testsuite>\n"
    if not suites:
        name = _attribute(f"policy {result.policy}: {result.files} files, {len(result.tasks)} tasks")
        yield '  <testsuite name="safecelery lint" tests="1" failures="0" errors="0" skipped="0" time="0">\n'
        yield f'    <testcase classname="safecelery lint" name="{name}" time="0"/>\n  </testsuite>\n'
    yield "</testsuites>\n"


def _cases(result: LintResult) -> Iterator[_Case]:
    for item in result.unread:
        yield _Case(item.path, item.line, "unread", "error", "unread", item.message, item.message)
    for finding in result.findings:
        word = level_word(finding)
        yield _case(finding, "failure" if word == "error" else "skipped", word)
    for finding in result.undecided:
        yield _case(finding, "skipped", "undecided")
    for finding in result.suppressed:
        yield _case(finding, "skipped", f"suppressed ({finding.reason})" if finding.reason else "suppressed")
    for finding in result.baselined:
        yield _case(finding, "skipped", "in the baseline")


def _case(finding: Finding, outcome: str, word: str) -> _Case:
    code = decided_rule(finding)
    place = f"{finding.path}:{finding.line}:{finding.column}"
    detail = [f"{place}: {finding.message}", *(f"because: {link}" for link in finding.because), f"fix: {finding.fix}"]
    name = f"{code} {finding.name} at line {finding.line}" + (f": {finding.subject}" if finding.subject else "")
    message = finding.message if outcome == "failure" else f"{word}: {finding.message}"
    shown = "\n".join(visible(line) for line in detail)
    return _Case(finding.path, finding.line, name, outcome, str(finding.severity), message, shown)


def _element(case: _Case) -> Iterator[str]:
    place = f'file="{_attribute(case.path)}"' + (f' line="{case.line}"' if case.line else "")
    yield f'    <testcase classname="{_attribute(case.path)}" name="{_attribute(case.name)}" {place} time="0">\n'
    message = f'message="{_attribute(case.message)}"'
    if case.outcome == "skipped":
        yield f"      <skipped {message}/>\n"
    else:
        detail = "\n".join(_text(line) for line in case.detail.split("\n"))
        yield f'      <{case.outcome} type="{_attribute(case.kind)}" {message}>{detail}</{case.outcome}>\n'
    yield "    </testcase>\n"


def _counts(cases: list[_Case]) -> str:
    def of(outcome: str) -> int:
        return sum(case.outcome == outcome for case in cases)

    return f'tests="{len(cases)}" failures="{of("failure")}" errors="{of("error")}" skipped="{of("skipped")}"'


def _text(text: str) -> str:
    """Escaped for XML 1.0, whose section 2.2 forbids most control characters even as references."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    return _text(text).replace('"', "&quot;").replace("'", "&#39;")
