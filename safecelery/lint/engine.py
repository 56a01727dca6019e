"""The engine: paths and a configuration in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from safecelery.errors import SafeCeleryError
from safecelery.lint.config import LintConfig
from safecelery.lint.finding import LintResult

__all__ = ["facts", "lint"]


def lint(paths: Sequence[str], config: LintConfig, *, progress: Callable[[int, int], None] | None = None) -> LintResult:
    """Check what lies at ``paths``; ``progress`` is told how many files are done, of how many."""
    raise SafeCeleryError("the engine of the linter is not built yet")


def facts(paths: Sequence[str], config: LintConfig) -> dict[str, Any]:
    """What is known of the apps and tasks at ``paths``, without judging it."""
    raise SafeCeleryError("the engine of the linter is not built yet")
