"""From what was read to what is reported: every fact judged, and which answers count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safecelery.lint.aside import Aside, later
from safecelery.lint.config import LintConfig
from safecelery.lint.finding import Finding, LintResult, TaskRow
from safecelery.lint.judge import Judge
from safecelery.lint.source.beside import Beside
from safecelery.policy.profile import Policy

if TYPE_CHECKING:
    from safecelery.lint.deploy import Deployment
    from safecelery.lint.project.analysis import Analysis
    from safecelery.lint.reuse.basis import Basis
    from safecelery.lint.source import SourceTree

__all__ = ["outcome"]

_MANY_SOURCES: Final = 500
"""Python files that are worth a second process to be searched through."""


def outcome(
    paths: Sequence[str],
    config: LintConfig,
    policy: Policy,
    tree: SourceTree,
    deployment: Deployment,
    analysis: Analysis,
    basis: Basis | None,
    helper: Aside,
) -> LintResult:
    """The result of a run, but for the time it took. ``basis`` is told what it depends on.

    Raises :class:`safecelery.errors.SafeCeleryError` for a baseline that cannot be used.
    """
    judge = Judge(policy, today=basis.today if basis else datetime.now(UTC).date())
    for subject in _subjects(analysis, deployment, config, helper):
        judge.ask(subject)
    unread = sorted(
        {*tree.unread, *deployment.unread, *analysis.unread}, key=lambda part: (part.path, part.line, part.message)
    )
    around = tree.shown_around()
    judge.findings = [finding for finding in judge.findings if finding.path not in around]
    judge.apply_comments(_comments(tree, deployment, judge.findings), unread={part.path for part in unread})
    tree.save()  # what goes wrong there becomes a note
    result = LintResult(
        findings=_numbered(_kept(judge.findings, config)),
        undecided=_numbered(_kept((f for f in judge.undecided if f.path not in around), config)),
        suppressed=_numbered(judge.suppressed),
        unread=tuple(unread),
        tasks=tuple(_rows(analysis)),
        policy=policy.name,
        files=tree.files + len(tree.other_files),
        notes=(*tree.notes, *analysis.notes),
        rules=tuple(sorted(judge.active)),
    )
    if basis is not None:
        _depends(basis, tree, deployment, policy)
    return _against_baseline(result, paths, config, basis.beside if basis else Beside())


def _depends(basis: Basis, tree: SourceTree, deployment: Deployment, policy: Policy) -> None:
    """Tell what else the result depends on."""
    for source in policy.sources:  # read already; one that changed since then is too new to be relied on
        basis.beside.note(source)
    basis.beside.add(tree.beside)
    basis.beside.add(deployment.beside)
    # The time until a key expires is counted in seconds from now.
    basis.complete = not any(isinstance(key.expires_s, int | float) for key in deployment.trust)


def _against_baseline(result: LintResult, paths: Sequence[str], config: LintConfig, beside: Beside) -> LintResult:
    """Set aside what the baseline knows."""
    if config.baseline is None:
        return result
    from safecelery.lint.baseline import Covered, compare, read_baseline

    covered = Covered(
        paths=tuple(map(Path, paths)),
        codes=frozenset(result.rules),
        unread=frozenset(part.path for part in result.unread),
    )
    directory = config.baseline.parent
    beside.note(str(config.baseline))
    entries = read_baseline(config.baseline)
    for path in {entry.path for entry in entries}:  # what is gone may have been renamed
        beside.exists(str(directory / path))
    changes = compare(result.findings, entries, directory=directory, covered=covered)
    return replace(result, findings=changes.new, baselined=changes.known)


def _subjects(analysis: Analysis, deployment: Deployment, config: LintConfig, helper: Aside) -> Iterable[Any]:
    from safecelery.lint.project.facts import subjects_of

    alone = config.jobs == 1 or len(analysis.modules.tree.python_files) <= _MANY_SOURCES
    return subjects_of(analysis, deployment, config.celery, later if alone else helper.begin)


def _comments(tree: SourceTree, deployment: Deployment, findings: Iterable[Finding]) -> dict[str, Any]:
    """Suppression comments by path: of every python file that was looked at, of other files with findings."""
    from safecelery.lint.suppress.text import read_text_comments

    found: dict[str, Any] = {record.shown: record.comments for record in tree.records if record.comments}
    others = {tree.shown(file.absolute): file.absolute for file in tree.other_files}
    for path in sorted({finding.path for finding in findings} & set(others)):
        try:
            text = Path(others[path]).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        comments = read_text_comments(text, path)
        if comments:
            found[path] = comments
    return found


def _kept(findings: Iterable[Finding], config: LintConfig) -> list[Finding]:
    """Without what the configuration switches off for single files."""
    if not config.per_file_ignores:
        return list(findings)
    root = Path(config.root)
    kept = []
    for finding in findings:
        try:
            path = (Path.cwd() / finding.path).relative_to(root).as_posix()
        except ValueError:
            path = finding.path
        if finding.code not in config.ignored_in(path):
            kept.append(finding)
    return kept


def _numbered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """In order, and those that agree in all but their place told apart."""
    counts: dict[tuple[str, str, str, str], int] = {}
    ordered = []
    for finding in sorted(findings, key=lambda f: (f.path, f.line, f.column, f.code, f.subject, f.message)):
        key = (finding.code, finding.path, finding.subject, finding.message)
        number = counts.get(key, 0)
        counts[key] = number + 1
        ordered.append(replace(finding, number=number) if number else finding)
    return tuple(ordered)


def _rows(analysis: Analysis) -> Iterable[TaskRow]:
    for task in sorted(analysis.tasks, key=lambda t: (t.module.path, t.line)):
        app = analysis.primary(task)
        name = analysis.options(task, app).name
        yield TaskRow(name=name, path=task.module.path, line=task.line, app=app.label if app is not None else "")
