"""One HTML page that needs nothing else: no request leaves it, and no script runs but its own.

Its Content-Security-Policy admits the one style sheet and the one script by their hashes (CSP level 3), so that even a
mistake in escaping could not run anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from safecelery._version import __version__
from safecelery.lint.finding import SEVERITY_ORDER, LintResult
from safecelery.lint.report import html_findings
from safecelery.lint.report.html_matrix import matrix
from safecelery.lint.report.html_text import escaped
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.source import Sources
from safecelery.lint.report.style import level_word
from safecelery.lint.report.summary import headline

__all__ = ["render"]

_ASSETS: Final = Path(__file__).resolve().parent / "assets"
_VERDICTS: Final = {0: ("good", "Passed"), 1: ("error", "Failed"), 2: ("unread", "Incomplete")}


def render(result: LintResult, options: RenderOptions) -> Iterator[str]:
    """The page, section by section. It works without its script, which only adds the filters."""
    anchors = {id(finding): f"f{number}" for number, finding in enumerate(result.findings, 1)}
    anchors |= {id(finding): f"u{number}" for number, finding in enumerate(result.undecided, 1)}
    excused = result.suppressed + result.baselined
    anchors |= {id(finding): f"x{number}" for number, finding in enumerate(excused, 1)}
    style = (_ASSETS / "page.css").read_text("utf-8")
    script = (_ASSETS / "page.js").read_text("utf-8")
    yield from _head(style, script, result)
    yield from _banner(result, options)
    yield from _filters(result)
    yield _open("matrix-section", "Tasks and rules", "")
    yield from matrix(result, anchors)
    yield "</section>\n"
    sources = Sources(options.base) if options.show_source else None
    yield _open("findings", "Findings", '<span id="shown" role="status"></span>')
    yield from html_findings.findings_section(result, anchors, sources)
    yield "</section>\n"
    if result.undecided:
        yield _open("undecided", "Could not be decided", "What the rules would have needed to read, and could not.")
        yield from html_findings.undecided_section(result, anchors)
        yield "</section>\n"
    if excused:
        yield _open("excused", "Excused", "Not counted.")
        yield from html_findings.excused_section(result, anchors)
        yield "</section>\n"
    yield _open("rules", "Rules", "Those that some finding names.")
    yield from html_findings.rules_section(result)
    yield f"</section>\n</main>\n<footer>safecelery {escaped(__version__)}</footer>\n"
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _head(style: str, script: str, result: LintResult) -> Iterator[str]:
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>safecelery lint: {escaped(headline(result))}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#findings">Skip to the findings</a>\n'
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _banner(result: LintResult, options: RenderOptions) -> Iterator[str]:
    css, word = _VERDICTS[result.exit_status]
    levels = Counter(level_word(finding) for finding in result.findings)
    severities = Counter(finding.severity for finding in result.findings)
    yield (
        f'<header class="top"><div class="title"><h1>safecelery lint <span class="verdict {css}">{word}</span></h1>'
        '<button type="button" id="theme" hidden>Dark</button></div>'
        f'<p class="lead">{escaped(headline(result))}; policy <b>{escaped(result.policy)}</b>, '
        f"{result.seconds:.2f} seconds.</p>"
    )
    numbers: list[tuple[str, int, str, str]] = [
        ("Tasks", len(result.tasks), "#matrix-section", ""),
        ("Errors", levels["error"], "#findings", "error"),
        ("Warnings", levels["warning"], "#findings", "warning"),
        ("Undecided", len(result.undecided), "#undecided", "undecided"),
        ("Unread", len(result.unread), "#unread", "unread"),
        ("Excused", len(result.suppressed) + len(result.baselined), "#excused", ""),
    ]
    yield '<ul class="numbers">'
    for label, number, target, colour in numbers:
        inside = f"<b>{number:,}</b> {label}"
        linked = f'<a href="{target}">{inside}</a>' if number else f"<span>{inside}</span>"
        yield f'<li class="{colour if number else "zero"}">{linked}</li>'
    yield "</ul>"
    total = max(len(result.findings), 1)
    if result.findings:
        yield '<div class="severities"><svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        start = 0.0
        for severity in SEVERITY_ORDER:
            share = 1000 * severities[severity] / total
            if share:
                yield f'<rect class="{severity}" x="{start:.1f}" y="0" width="{share:.1f}" height="10"/>'
            start += share
        yield "</svg><ul>"
        for severity in SEVERITY_ORDER:
            yield f'<li><span class="dot {severity}"></span>{severities[severity]} {severity}</li>'
        yield "</ul></div>"
    yield "</header>\n<main>\n"
    if result.unread:
        yield _open("unread", "Could not be read", "Nothing is known about what stands in here, good or bad.")
        yield from html_findings.unread_section(result)
        yield "</section>\n"
    for note in result.notes:
        yield f'<p class="note">{escaped(note)}</p>\n'


def _filters(result: LintResult) -> Iterator[str]:
    """Hidden until the script, which they need, has started."""
    apps = sorted({task.app for task in result.tasks if task.app})
    files = sorted({finding.path for finding in result.findings} | {task.path for task in result.tasks})
    rules = sorted({finding.code for finding in result.findings})
    yield '<form class="filters" id="filters" hidden aria-label="Filters">'
    yield '<label class="wide">Search<input type="search" id="f-text" placeholder="task, file, message"></label>'
    yield _select("file", "File", files)
    if len(apps) > 1:
        yield _select("app", "App", apps)
    yield _select("severity", "Severity", [str(severity) for severity in SEVERITY_ORDER])
    yield _select("rule", "Rule", rules)
    yield (
        '<label>Tasks by<select id="f-sort"><option value="worst">worst first</option>'
        '<option value="name">name</option><option value="file">file</option></select></label>'
        '<button type="reset">Reset</button></form>\n'
    )


def _select(name: str, label: str, values: Iterable[str]) -> str:
    options = "".join(f'<option value="{escaped(value)}">{escaped(value)}</option>' for value in values)
    return f'<label>{label}<select id="f-{name}"><option value="">all</option>{options}</select></label>'


def _open(anchor: str, title: str, lead: str) -> str:
    return f'<section id="{anchor}" class="part"><h2>{title}</h2>' + (f'<p class="lead">{lead}</p>' if lead else "")
