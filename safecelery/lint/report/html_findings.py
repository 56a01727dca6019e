"""The findings, file by file, and the other lists of the HTML report."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from safecelery.lint.finding import Finding, LintResult
from safecelery.lint.fix.table import option_for
from safecelery.lint.report import rulebook
from safecelery.lint.report.html_text import escaped
from safecelery.lint.report.rulebook import decided_rule
from safecelery.lint.report.source import Sources
from safecelery.lint.report.style import level_word
from safecelery.lint.report.summary import blocked, counted

__all__ = ["excused_section", "findings_section", "rules_section", "undecided_section", "unread_section"]


def findings_section(result: LintResult, anchors: dict[int, str], sources: Sources | None) -> Iterator[str]:
    """Every finding that counts."""
    apps = {task.name: task.app for task in result.tasks}
    if not result.findings:
        yield '<p class="empty">Nothing was found.</p>'
    for path, group in groupby(result.findings, key=lambda finding: finding.path):
        findings = list(group)
        number = counted(len(findings), "finding")
        yield f'<section class="file"><h3><code>{escaped(path)}</code> <span class="count">{number}</span></h3>'
        for finding in findings:
            yield from _card(finding, anchors[id(finding)], apps.get(finding.subject, ""), sources)
        yield "</section>\n"


def _card(finding: Finding, anchor: str, app: str, sources: Sources | None) -> Iterator[str]:
    word = level_word(finding)
    code, name = escaped(finding.code), escaped(finding.name)
    place = f"{finding.path}:{finding.line}:{finding.column}" if finding.line else finding.path
    yield (
        f'<article class="finding {word}" id="{anchor}" tabindex="-1" data-rule="{code}"'
        f' data-severity="{finding.severity}" data-file="{escaped(finding.path)}" data-app="{escaped(app)}">'
        f'<header><span class="badge {word}">{word}</span> <a class="code" href="#rule-{code}">{code}</a> '
        f'<span class="name">{name}</span> <span class="severity {finding.severity}">{finding.severity}</span> '
        f'<a class="place" href="#{anchor}">{escaped(place)}</a></header>'
        f'<p class="message">{escaped(finding.message)}</p>'
    )
    excerpt = sources.excerpt(finding.path, finding.line, finding.column) if sources else None
    if excerpt:
        caret = " " * excerpt.indent + "^" * excerpt.length
        margin = " " * len(str(finding.line))
        mark = f'\n<span class="caret" aria-hidden="true">{margin}   {caret}</span>' if excerpt.length else ""
        yield f'<pre><span class="number">{finding.line}</span> │ {escaped(excerpt.text)}{mark}</pre>'
    if finding.because or finding.env:
        yield '<ol class="because" aria-label="Because">'
        for link in finding.because:
            where = f"{link.file}:{link.line}" if link.line else link.file
            yield f"<li>{escaped(link.what)} <code>{escaped(where)}</code></li>"
        if finding.env:
            yield f"<li>unless the environment sets <code>{escaped(', '.join(finding.env))}</code></li>"
        yield "</ol>"
    option = option_for(finding.code)
    fixable = f' <span class="fixable"><code>{option}</code> can write it</span>' if finding.fixable else ""
    yield f'<p class="help"><b>Fix</b> {escaped(finding.fix)}{fixable}</p></article>\n'


def undecided_section(result: LintResult, anchors: dict[int, str]) -> Iterator[str]:
    """What blocked a verdict, and which ones."""
    for what, findings in blocked(result):
        yield (
            f'<details class="blocked"><summary><b>{len(findings)}</b> <code>{escaped(what)}</code></summary>'
            '<div class="scroll"><table class="list"><thead><tr><th>Rule</th><th>Where</th><th>What</th></tr></thead>'
            "<tbody>"
        )
        for finding in findings:
            place = f"{finding.path}:{finding.line}" if finding.line else finding.path
            yield (
                f'<tr id="{anchors[id(finding)]}" tabindex="-1"><td>{escaped(decided_rule(finding))}</td>'
                f"<td><code>{escaped(place)}</code></td><td>{escaped(finding.message)}</td></tr>"
            )
        yield "</tbody></table></div></details>\n"


def unread_section(result: LintResult) -> Iterator[str]:
    """Files about which nothing is known."""
    yield '<div class="scroll"><table class="list"><thead><tr><th>Where</th><th>Why</th></tr></thead><tbody>'
    for item in result.unread:
        place = f"{item.path}:{item.line}" if item.line else item.path
        yield f"<tr><td><code>{escaped(place)}</code></td><td>{escaped(item.message)}</td></tr>"
    yield "</tbody></table></div>"


def excused_section(result: LintResult, anchors: dict[int, str]) -> Iterator[str]:
    """Suppressed ones with their reasons, and those of the baseline."""
    yield (
        '<div class="scroll"><table class="list"><thead><tr><th>Rule</th><th>Where</th><th>What</th><th>Why</th></tr>'
        "</thead><tbody>"
    )
    for finding in result.suppressed + result.baselined:
        place = f"{finding.path}:{finding.line}" if finding.line else finding.path
        known = any(finding is item for item in result.baselined)
        why = "in the baseline" if known else finding.reason or "suppressed"
        yield (
            f'<tr id="{anchors[id(finding)]}" tabindex="-1"><td>{escaped(finding.code)}</td>'
            f"<td><code>{escaped(place)}</code></td><td>{escaped(finding.message)}</td><td>{escaped(why)}</td></tr>"
        )
    yield "</tbody></table></div>"


def rules_section(result: LintResult) -> Iterator[str]:
    """What the rules that were met are about."""
    counts: dict[str, int] = {}
    for finding in result.findings:
        counts[finding.code] = counts.get(finding.code, 0) + 1
    met = {decided_rule(item): item for item in result.undecided + result.suppressed + result.baselined}
    met |= {item.code: item for item in result.findings}
    yield (
        '<div class="scroll"><table class="list rules"><thead><tr><th>Rule</th><th>Severity</th><th>Findings</th>'
        "<th>What it says, and the fix</th></tr></thead><tbody>"
    )
    for code in sorted(met):
        rule = rulebook.about(code, met[code])
        yield (
            f'<tr id="rule-{escaped(code)}" tabindex="-1"><td><b>{escaped(code)}</b> {escaped(rule.name)}</td>'
            f'<td><span class="severity {rule.severity}">{rule.severity}</span></td><td>{counts.get(code, 0)}</td>'
            f"<td>{escaped(rule.message)}<br><b>Fix</b> {escaped(rule.fix)}<br>"
            f"<code>safecelery lint --explain {escaped(code)}</code></td></tr>"
        )
    yield "</tbody></table></div>"
