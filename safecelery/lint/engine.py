"""The engine: paths and a configuration in, findings out.

Source tree and deployment files are read, the code is interpreted without being run, facts are made of both, and the
policy's rules are asked about each fact. Comments, waivers and the baseline then say which answers count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from safecelery.lint.config import LintConfig
from safecelery.lint.finding import Finding, LintResult, TaskRow
from safecelery.lint.judge import Judge
from safecelery.lint.pausing import no_collection
from safecelery.lint.source import DEFAULT_CACHE, collect
from safecelery.lint.source.beside import Beside
from safecelery.policy.facts import DeployFacts, FileFacts, PackageFacts, TrustFacts
from safecelery.policy.profile import Policy, load_policy

if TYPE_CHECKING:
    from safecelery.lint.deploy import Deployment
    from safecelery.lint.project.analysis import Analysis
    from safecelery.lint.reuse.basis import Basis
    from safecelery.lint.source import SourceTree
    from safecelery.lint.source.survey import Survey

__all__ = ["facts", "lint"]

Progress = Callable[[int, int], None]
_MANY: Final = 100
"""Deployment files that are worth a second process."""
_MANY_SOURCES: Final = 500
"""Python files that are worth one to be searched through."""
_Deployed = TypeVar("_Deployed", DeployFacts, PackageFacts, FileFacts, TrustFacts)


def lint(
    paths: Sequence[str], config: LintConfig, *, progress: Progress | None = None, basis: Basis | None = None
) -> LintResult:
    """Check what lies at ``paths``; ``progress`` is told how many files are done, of how many.

    ``basis``: the survey of these paths, which is told what else the result depends on.

    Raises :class:`safecelery.errors.SafeCeleryError` for a policy or baseline that cannot be used. What cannot be read
    of the linted code is in the result's ``unread``.
    """
    with no_collection():
        return _lint(paths, config, progress, basis)


def _lint(paths: Sequence[str], config: LintConfig, progress: Progress | None, basis: Basis | None) -> LintResult:
    start = basis.began if basis else time.perf_counter()
    policy = config.judged_by(load_policy(config.policy))
    tree, deployment, analysis = _read(paths, config, progress, surveyed=basis.surveyed if basis else None)
    judge = Judge(policy, today=basis.today if basis else datetime.now(UTC).date())
    for subject in _subjects(analysis, deployment, config):
        judge.ask(subject)
    unread = sorted(
        {*tree.unread, *deployment.unread, *analysis.unread}, key=lambda part: (part.path, part.line, part.message)
    )
    around = tree.shown_around()
    judge.findings = [finding for finding in judge.findings if finding.path not in around]
    judge.apply_comments(_comments(tree, deployment, judge.findings), unread={part.path for part in unread})
    tree.save()
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
    result = _against_baseline(result, paths, config, basis.beside if basis else Beside())
    return replace(result, seconds=time.perf_counter() - start)


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


def facts(paths: Sequence[str], config: LintConfig) -> dict[str, Any]:
    """What is known of the apps and tasks at ``paths``, without judging it: the document of ``safecelery facts``."""
    from safecelery.lint.project.document import facts_document

    tree, _, analysis = _read(paths, config, None, deployment=False)
    document = facts_document(analysis, tree.unread)
    tree.save()
    return document


def _read(
    paths: Sequence[str],
    config: LintConfig,
    progress: Progress | None,
    *,
    deployment: bool = True,
    surveyed: Survey | None = None,
) -> tuple[SourceTree, Deployment, Analysis]:
    from safecelery.lint.deploy import Deployment
    from safecelery.lint.project.analysis import analyse

    cache_dir: Any = None if not config.cache else str(config.cache_dir) if config.cache_dir else DEFAULT_CACHE
    tree = collect(
        paths,
        include_tests=config.include_tests,
        exclude=config.exclude,
        cache_dir=cache_dir,
        progress=progress,
        second=False if config.jobs == 1 else None,
        surveyed=surveyed,
        meanwhile=_make_ready,
    )
    if not deployment:
        return tree, Deployment(), analyse(tree, settings=config.settings, environment=config.environment)
    read_files: Callable[[], Deployment] = partial(_deployment, tree)
    if config.jobs != 1 and len(tree.other_files) > _MANY:
        from safecelery.lint.aside import aside

        read_files = aside(read_files)
    analysis = analyse(tree, settings=config.settings, environment=config.environment)
    return tree, read_files(), analysis


def _make_ready() -> None:
    """Import what comes after the reading."""
    import safecelery.lint.project.analysis
    import safecelery.lint.project.facts
    import safecelery.lint.report.masking
    import safecelery.lint.report.secret_names
    import safecelery.lint.suppress  # noqa: F401


def _deployment(tree: SourceTree) -> Deployment:
    """What the deployment files say; by their place below the argument, findings by the path people know."""
    from safecelery.lint.deploy import Deployment, read, tells_of_deployment

    whole = Deployment()
    programs = [file for file in tree.python_files if not file.is_test and tells_of_deployment(file.path)]
    for root in tree.roots:
        files = [(file.path, file.absolute) for file in tree.other_files if file.root == root]
        files += [(file.path, file.absolute) for file in programs if file.root == root]
        shown = {path: tree.shown(absolute) for path, absolute in files}
        part = read(files)
        whole.processes += [_shown(facts, shown) for facts in part.processes]
        whole.packages += [_shown(facts, shown) for facts in part.packages]
        whole.files += [_shown(facts, shown) for facts in part.files]
        whole.trust += [_shown(facts, shown) for facts in part.trust]
        whole.beside.add(part.beside)
        whole.unread += [replace(item, path=shown.get(item.path, item.path)) for item in part.unread]
    return whole


def _shown(facts: _Deployed, shown: Mapping[str, str]) -> _Deployed:
    where = facts.where
    return replace(facts, where=replace(where, file=shown.get(where.file, where.file)))


def _subjects(analysis: Analysis, deployment: Deployment, config: LintConfig) -> Iterable[Any]:
    from safecelery.lint.aside import aside, later
    from safecelery.lint.project.facts import subjects_of

    alone = config.jobs == 1 or len(analysis.modules.tree.python_files) <= _MANY_SOURCES
    return subjects_of(analysis, deployment, config.celery, later if alone else aside)


def _comments(tree: SourceTree, deployment: Deployment, findings: Iterable[Finding]) -> dict[str, Any]:
    """Suppression comments by path: of every python file that was looked at, of other files with findings."""
    from safecelery.lint.suppress import read_text_comments

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
