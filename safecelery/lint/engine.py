"""The engine: paths and a configuration in, findings out.

Source tree and deployment files are read, the code is interpreted without being run, facts are made of both, and the
policy's rules are asked about each fact. Comments, waivers and the baseline then say which answers count.

What comes after the reading is imported while the other process reads already: the policy and its rules, the
interpreter, the report are two thirds of the linter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from safecelery.lint.config import LintConfig
from safecelery.lint.pausing import no_collection
from safecelery.lint.source import DEFAULT_CACHE, collect

if TYPE_CHECKING:
    from safecelery.lint.aside import Aside
    from safecelery.lint.deploy import Deployment
    from safecelery.lint.finding import LintResult
    from safecelery.lint.project.analysis import Analysis
    from safecelery.lint.reuse.basis import Basis
    from safecelery.lint.source import SourceTree
    from safecelery.policy.profile import Policy

__all__ = ["facts", "lint"]

Progress = Callable[[int, int], None]
_MANY: Final = 100
"""Deployment files that are worth a second process."""


def lint(
    paths: Sequence[str], config: LintConfig, *, progress: Progress | None = None, basis: Basis | None = None
) -> LintResult:
    """Check what lies at ``paths``; ``progress`` is told how many files are done, of how many.

    ``basis``: the survey of these paths, which is told what else the result depends on.

    Raises :class:`safecelery.errors.SafeCeleryError` for a policy or baseline that cannot be used. What cannot be read
    of the linted code is in the result's ``unread``.
    """
    from safecelery.lint.aside import Aside

    start = basis.began if basis else time.perf_counter()
    helper = Aside()
    try:
        with no_collection():
            prepared = cache(partial(_prepared, config))
            deployed = cache(partial(_deployed, config, helper))
            tree = _collected(paths, config, progress, basis, meanwhile=prepared, then=deployed)
            policy, deployment = prepared(), deployed(tree)
            analysis = _interpreted(tree, config)
            from safecelery.lint.outcome import outcome

            result = outcome(paths, config, policy, tree, deployment(), analysis, basis, helper)
    finally:
        helper.close()
    return replace(result, seconds=time.perf_counter() - start)


def facts(paths: Sequence[str], config: LintConfig) -> dict[str, Any]:
    """What is known of the apps and tasks at ``paths``, without judging it: the document of ``safecelery facts``."""
    tree = _collected(paths, config, None, None)
    from safecelery.lint.project.document import facts_document

    document = facts_document(_interpreted(tree, config), tree.unread)
    tree.save()
    return document


def _collected(
    paths: Sequence[str],
    config: LintConfig,
    progress: Progress | None,
    basis: Basis | None,
    meanwhile: Callable[[], object] | None = None,
    then: Callable[[SourceTree], object] | None = None,
) -> SourceTree:
    """The files, read."""
    cache_dir: Any = None if not config.cache else str(config.cache_dir) if config.cache_dir else DEFAULT_CACHE
    return collect(
        paths,
        include_tests=config.include_tests,
        exclude=config.exclude,
        cache_dir=cache_dir,
        progress=progress,
        second=False if config.jobs == 1 else None,
        surveyed=basis.surveyed if basis else None,
        meanwhile=meanwhile,
        then=then,
    )


def _prepared(config: LintConfig) -> Policy:
    """Import what comes after the reading; and the policy, whose errors need not wait for it."""
    import safecelery.lint.outcome
    import safecelery.lint.project.analysis
    import safecelery.lint.project.facts
    import safecelery.lint.report.secret_names
    import safecelery.lint.suppress.apply
    import safecelery.lint.suppress.text  # noqa: F401
    from safecelery.lint.report import load_format
    from safecelery.policy.profile import load_policy

    load_format(config.output_format)
    return config.judged_by(load_policy(config.policy))


def _deployed(config: LintConfig, helper: Aside, tree: SourceTree) -> Callable[[], Deployment]:
    """What gives the deployment; where there are many files of it, another process begins to read them now."""
    from safecelery.lint.aside import later
    from safecelery.lint.deploy.of_tree import deployment_of

    few = config.jobs == 1 or len(tree.other_files) <= _MANY
    return (later if few else helper.begin)(deployment_of, tree)


def _interpreted(tree: SourceTree, config: LintConfig) -> Analysis:
    from safecelery.lint.project.analysis import analyse

    return analyse(tree, settings=config.settings, environment=config.environment)
