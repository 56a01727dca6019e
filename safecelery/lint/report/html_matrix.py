"""The matrix of tasks and rules of the HTML report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import field
from itertools import groupby
from typing import Final

from safecelery.deferred import dataclass
from safecelery.lint.finding import Finding, LintResult, TaskRow
from safecelery.lint.report import rulebook
from safecelery.lint.report.html_text import escaped
from safecelery.lint.report.rulebook import decided_rule
from safecelery.lint.report.style import level_word

__all__ = ["matrix"]

_STATES: Final = {
    "error": ("e", "✕", "broken, error"),
    "warning": ("w", "!", "broken, warning"),
    "undecided": ("u", "?", "undecided"),
    "excused": ("x", "=", "excused"),
}
"""State to class, sign and words, the one that wins in a cell first. Each has a shape of its own beside its colour."""


@dataclass(slots=True)
class _Cell:
    state: str
    anchor: str
    titles: list[str] = field(default_factory=list)


def matrix(result: LintResult, anchors: dict[int, str]) -> Iterator[str]:
    """The section; ``anchors`` tells the id of each finding (by ``id()``) that has one on the page."""
    cells = _cells(result, anchors)
    if not result.tasks:
        yield '<p class="empty">No tasks were found, so there is no matrix.</p>'
        return
    met = {code for _, code in cells}
    codes = sorted(met | {code for code in result.rules if rulebook.per_task(code)})
    if not codes:
        yield '<p class="empty">No rule about single tasks was broken.</p>'
        return
    kept = len(codes) - len(met)
    yield from _legend(kept)
    yield '<div class="scroll" id="matrix-scroll" tabindex="0" role="region" aria-label="Tasks by rules">'
    yield '<table class="matrix" id="matrix">'
    yield from _head(codes, met, cells)
    yield "<tbody>"
    order = sorted(range(len(result.tasks)), key=lambda row: (_badness(row, codes, cells), row))
    for row in order:
        yield from _row(row, result.tasks[row], codes, met, cells)
    yield "</tbody></table></div>"


def _cells(result: LintResult, anchors: dict[int, str]) -> dict[tuple[int, str], _Cell]:
    """By number of the task and code; a finding belongs to a task by the name, and the file where that decides."""
    rows: dict[str, list[int]] = {}
    for number, task in enumerate(result.tasks):
        rows.setdefault(task.name, []).append(number)
    kinds: Sequence[tuple[str, tuple[Finding, ...]]] = (
        ("", result.findings),
        ("undecided", result.undecided),
        ("excused", result.suppressed + result.baselined),
    )
    rank = list(_STATES)
    cells: dict[tuple[int, str], _Cell] = {}
    for kind, findings in kinds:
        for finding in findings:
            for code, subject, path in finding.covers or ((decided_rule(finding), finding.subject, finding.path),):
                numbers = rows.get(subject, [])
                same = [number for number in numbers if result.tasks[number].path == path]
                for number in same or numbers:
                    state = kind or level_word(finding)
                    cell = cells.setdefault((number, code), _Cell(state, anchors.get(id(finding), "")))
                    if rank.index(state) < rank.index(cell.state):
                        cell.state, cell.anchor = state, anchors.get(id(finding), "")
                    cell.titles.append(finding.message)
    return cells


def _badness(row: int, codes: Sequence[str], cells: dict[tuple[int, str], _Cell]) -> tuple[int, int, int]:
    states = Counter(cells[row, code].state for code in codes if (row, code) in cells)
    return -states["error"], -states["warning"], -states["undecided"]


def _legend(kept: int) -> Iterator[str]:
    yield '<div class="legend"><ul>'
    for css, sign, words in _STATES.values():
        yield f'<li><span class="c {css}" aria-hidden="true">{sign}</span> {words}</li>'
    yield '<li><span class="c k" aria-hidden="true">·</span> kept</li></ul>'
    if kept:
        yield f'<label><input type="checkbox" id="show-kept"> show the {kept} rules that every task keeps</label>'
    yield "</div>"


def _head(codes: Sequence[str], met: set[str], cells: dict[tuple[int, str], _Cell]) -> Iterator[str]:
    broken = Counter(code for (_, code), cell in cells.items() if cell.state in ("error", "warning"))
    yield '<thead><tr class="families"><th class="corner" rowspan="2" scope="col">Task</th>'
    for digit, group in groupby(codes, key=lambda code: code[3:4]):
        members = list(group)
        shown = sum(code in met for code in members)
        css = ' class="kept-rule"' if not shown else ""
        family = escaped(rulebook.FAMILIES.get(digit, "Other"))
        yield (
            f'<th scope="colgroup" colspan="{len(members)}" data-all="{len(members)}" data-met="{shown}"'
            f'{css} title="{family}"><span>{family}</span></th>'
        )
    yield '</tr><tr class="codes">'
    for code in codes:
        rule = rulebook.about(code)
        css = "" if code in met else ' class="kept-rule"'
        title = escaped(f"{code} {rule.name}: {rule.message} ({rule.severity})")
        target = f"#rule-{escaped(code)}" if code in met else "#matrix-section"
        count = f"<b>{broken[code]}</b>" if broken[code] else "<b></b>"
        yield (
            f'<th scope="col"{css} data-rule="{escaped(code)}"><a href="{target}" title="{title}">'
            f"{count}<span>{escaped(code)}<i> {escaped(rule.name)}</i></span></a></th>"
        )
    yield "</tr></thead>"


def _row(
    number: int, task: TaskRow, codes: Sequence[str], met: set[str], cells: dict[tuple[int, str], _Cell]
) -> Iterator[str]:
    module, _, short = task.name.rpartition(".")
    states = Counter(cells[number, code].state for code in codes if (number, code) in cells)
    place = f"{task.path}:{task.line}"
    yield (
        f'<tr data-row="{number}" data-name="{escaped(task.name)}" data-file="{escaped(task.path)}"'
        f' data-app="{escaped(task.app)}" data-e="{states["error"]}" data-w="{states["warning"]}">'
        f'<th scope="row" title="{escaped(task.name)} at {escaped(place)}, app {escaped(task.app)}">'
        f'<span class="short">{escaped(short)}</span><span class="module">{escaped(module or task.path)}</span></th>'
    )
    for code in codes:
        cell = cells.get((number, code))
        if cell is None:
            yield '<td class="k">·</td>' if code in met else '<td class="k kept-rule">·</td>'
            continue
        css, sign, words = _STATES[cell.state]
        title = escaped(f"{code} {words}: " + " / ".join(cell.titles[:3]))
        inside = f'<span aria-hidden="true">{sign}</span><span class="vh">{escaped(code)} {words}</span>'
        link = f'<a href="#{cell.anchor}" title="{title}">{inside}</a>' if cell.anchor else inside
        yield f'<td class="{css}">{link}</td>'
    yield "</tr>\n"
