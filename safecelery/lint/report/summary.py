"""The last lines of every text format: how it stands, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from safecelery.lint.finding import SEVERITY_ORDER, Finding, LintResult
from safecelery.lint.report.characters import visible
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.rulebook import decided_rule
from safecelery.lint.report.style import Paint, level_word, painter
from safecelery.lint.report.together import shared

__all__ = ["blocked", "blocker", "counted", "footer", "headline", "unread_lines"]

_BLOCKERS_SHOWN = 5


def counted(number: int, one: str, many: str = "") -> str:
    """``1 task``, ``2 tasks``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def blocker(finding: Finding) -> str:
    """What kept a rule from being decided, as written in the source where that is known."""
    if finding.blocked_by:
        return finding.blocked_by
    if finding.because:
        return str(finding.because[0])
    head, mark, tail = finding.message.rpartition("(")
    return tail.rstrip(")") if mark and head else finding.message


def blocked(result: LintResult) -> list[tuple[str, list[Finding]]]:
    """The undecided by what blocked them, the one that would decide most first."""
    groups: dict[str, list[Finding]] = {}
    for finding in result.undecided:
        groups.setdefault(blocker(finding), []).append(finding)
    return sorted(groups.items(), key=lambda item: (-sum(map(_verdicts, item[1])), item[0]))


def _verdicts(finding: Finding) -> int:
    """How many verdicts an undecided finding stands for."""
    return len(finding.covers) or 1


def _codes(finding: Finding) -> set[str]:
    return {code for code, _, _ in finding.covers} or {decided_rule(finding)}


def headline(result: LintResult) -> str:
    """``37 errors and 12 warnings in 112 tasks, 214 files``."""
    errors = sum(level_word(finding) == "error" for finding in result.findings)
    warnings = len(result.findings) - errors
    scope = f"{counted(len(result.tasks), 'task')}, {counted(result.files, 'file')}"
    if not result.findings:
        return f"no findings in {scope}"
    parts = [counted(errors, "error")] if errors else []
    parts += [counted(warnings, "warning")] if warnings else []
    return f"{' and '.join(parts)} in {scope}"


def unread_lines(result: LintResult, paint: Paint) -> Iterator[str]:
    """A line for each file, or part of one, that could not be read: nothing may be concluded from its silence."""
    for item in result.unread:
        place = f"{visible(item.path)}:{item.line}" if item.line else visible(item.path)
        yield f"{paint('place', place)}: {paint('error', 'unread')}: {visible(item.message)}\n"


def footer(result: LintResult, options: RenderOptions) -> Iterator[str]:
    """The summary, if it is wanted, and the statistics, if they are."""
    paint = painter(options.colour)
    if options.summary:
        yield from _summary(result, paint)
    if options.statistics:
        yield from _statistics(result, paint)


def _summary(result: LintResult, paint: Paint) -> Iterator[str]:
    status = result.exit_status
    word = {0: paint("good", "passed"), 1: paint("error", "failed")}.get(status, paint("error", "incomplete"))
    policy = visible(result.policy)
    yield f"{word}: {headline(result)} (policy {policy}, {result.seconds:.2f} s)\n"
    if result.findings:
        severities = Counter(finding.severity for finding in result.findings)
        listed = ", ".join(f"{severities[severity]} {severity}" for severity in SEVERITY_ORDER if severities[severity])
        yield f"  by severity: {listed}\n"
    groups = shared(result.findings)
    if groups:
        many = sum(map(len, groups.values()))
        causes = counted(len({key[2] for key in groups}), "setting")
        yield f"  {many} of them are decided by {causes}, and shown once a rule; json and html list every task\n"
    if result.unread:
        unread = counted(len(result.unread), "file or part of a file", "files or parts of files")
        yield f"  {unread} could not be read\n"
    if result.suppressed or result.baselined:
        yield f"  not counted: {len(result.suppressed)} suppressed, {len(result.baselined)} in the baseline\n"
    if result.undecided:
        blockers = blocked(result)
        verdicts = counted(sum(map(_verdicts, result.undecided)), "verdict")
        yield f"  {verdicts} could not be {paint('undecided', 'decided')}; what blocked them:\n"
        for what, findings in blockers[:_BLOCKERS_SHOWN]:
            rules = sorted({code for finding in findings for code in _codes(finding)})
            more = f" and {len(rules) - 3} more" if len(rules) > 3 else ""
            first = min(findings, key=lambda finding: (finding.path, finding.line))
            where = f"({visible(', '.join(rules[:3]))}{more}; first at {visible(first.path)}:{first.line})"
            yield f"    {sum(map(_verdicts, findings)):>4}  {visible(what)}  {paint('dim', where)}\n"
        if len(blockers) > _BLOCKERS_SHOWN:
            rest = sum(_verdicts(finding) for _, findings in blockers[_BLOCKERS_SHOWN:] for finding in findings)
            yield f"    {rest:>4}  by {counted(len(blockers) - _BLOCKERS_SHOWN, 'other expression')}\n"
    for note in result.notes:
        yield f"  note: {visible(note)}\n"


def _statistics(result: LintResult, paint: Paint) -> Iterator[str]:
    if not result.findings:
        return
    groups: dict[str, list[Finding]] = {}
    for finding in result.findings:
        groups.setdefault(finding.code, []).append(finding)
    yield "\n"
    for code, findings in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        first = findings[0]
        files = counted(len({finding.path for finding in findings}), "file")
        fixable = " [*]" if any(finding.fixable for finding in findings) else ""
        yield (
            f"{len(findings):>6}  {paint('rule', visible(code))}  {first.severity:<8}  "
            f"{visible(first.name)}{fixable}  {paint('dim', f'in {files}')}\n"
        )
