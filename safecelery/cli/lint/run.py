"""One run of ``safecelery lint``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safecelery.cli.exitcodes import COULD_NOT, OK
from safecelery.cli.lint.emit import emit, exit_status, write
from safecelery.cli.lint.options import stated
from safecelery.cli.lint.progress import Progress
from safecelery.lint.config import LintConfig, load_config
from safecelery.lint.pausing import no_collection

if TYPE_CHECKING:
    from safecelery.lint.finding import LintResult

__all__ = ["run"]


def run(paths: Sequence[str], given: dict[str, Any]) -> int:
    """Lint, and do with the result what the options say. Returns the exit status.

    Raises SafeCeleryError or click.UsageError for what cannot be done.
    """
    with no_collection():
        return _run(paths, given)


def _run(paths: Sequence[str], given: dict[str, Any]) -> int:
    config = load_config(paths, stated(given), file=given["config_file"], isolated=given["isolated"])
    if given["show_config"]:
        write((config.describe(), "\n"))
        return OK
    if given["update_baseline"]:
        return _update_baseline(paths, config, given)
    result = check(paths, config, given)
    if given["diff"] or given["fix"] or given["unsafe_fixes"]:
        from safecelery.cli.lint.edits import apply_fixes, show_diff

        if given["diff"]:
            return show_diff(result, config, given)
        if apply_fixes(result, config, given):
            result = check(paths, config, given)
    emit(result, config, given)
    return exit_status(result, config, given)


def check(paths: Sequence[str], config: LintConfig, given: dict[str, Any]) -> LintResult:
    """Call the engine, with progress where somebody watches; or take its last result, where a report is all."""
    if given["quiet"] or given["no_progress"] or not sys.stderr.isatty():
        return _found(paths, config, given, None)
    progress = Progress()
    try:
        return _found(paths, config, given, progress)
    finally:
        progress.clear()


def _found(paths: Sequence[str], config: LintConfig, given: dict[str, Any], progress: Progress | None) -> LintResult:
    if not config.cache or any(given[name] for name in ("fix", "unsafe_fixes", "diff", "update_baseline")):
        from safecelery.lint import engine

        return engine.lint(paths, config, progress=progress)
    from safecelery.lint import reuse

    return reuse.lint(paths, config, progress=progress)


def _update_baseline(paths: Sequence[str], config: LintConfig, given: dict[str, Any]) -> int:
    """Write what is found now. Entries for what was not looked at (another directory, a rule not asked for) stay."""
    from safecelery.lint.baseline import Covered, compare, read_baseline, write_baseline
    from safecelery.policy.rules import BY_CODE

    file = config.baseline
    if file is None:
        raise click.UsageError("--update-baseline: name the file with --baseline, or in the configuration")
    result = check(paths, replace(config, baseline=None), given)
    covered = Covered(
        paths=tuple(map(Path, paths)),
        codes=frozenset(result.rules) or frozenset(BY_CODE),
        unread=frozenset(item.path for item in result.unread),
    )
    known = read_baseline(file) if file.exists() else ()
    changes = compare(result.findings, known, directory=file.parent, covered=covered)
    write_baseline(file, changes.updated)
    if not given["quiet"]:
        click.echo(
            f"{file}: {len(changes.updated)} known findings, {len(changes.new)} of them new, "
            f"{len(changes.fixed)} fixed and taken out",
            err=True,
        )
    return COULD_NOT if result.unread else OK
