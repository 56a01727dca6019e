"""One run that may be spared."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from safecelery.lint.config import LintConfig
from safecelery.lint.finding import LintResult
from safecelery.lint.pausing import no_collection
from safecelery.lint.reuse.basis import Basis, name_of
from safecelery.lint.reuse.kept import KeptResult
from safecelery.lint.source.survey import survey

__all__ = ["lint"]


def lint(paths: Sequence[str], config: LintConfig, *, progress: Callable[[int, int], None] | None = None) -> LintResult:
    """As :func:`safecelery.lint.engine.lint`; of a run that is spared, the result has its secrets masked.

    For reports only: a fix or a baseline needs what is found as it is. Raises what the engine raises.
    """
    start = time.perf_counter()
    with no_collection():
        basis = Basis(survey(paths, config.exclude), start)
        kept = KeptResult(config, name_of(paths, config), basis)
        result = kept.load()
        if result is not None:
            return replace(result, seconds=time.perf_counter() - start)
        from safecelery.lint import engine

        result = engine.lint(paths, config, progress=progress, basis=basis)
        kept.save(result)
        return result
