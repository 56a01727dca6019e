"""Findings and an engine that returns them, for tests of what the commands make of a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from safecelery.lint.config import LintConfig
from safecelery.lint.finding import Finding, LintResult, Unread
from safecelery.policy.document import Level
from safecelery.policy.rule import Severity

__all__ = ["FakeEngine", "a_finding", "an_unread"]


def a_finding(**changes: Any) -> Finding:
    values: dict[str, Any] = {
        "code": "SFC401",
        "name": "hard-time-limit-missing",
        "severity": Severity.HIGH,
        "level": Level.ERROR,
        "message": "shop.tasks.charge has no hard time limit",
        "fix": "state time_limit",
        "path": "shop/tasks.py",
        "line": 7,
        "subject": "shop.tasks.charge",
    }
    return Finding(**(values | changes))


def an_unread(path: str = "shop/broken.py") -> Unread:
    return Unread(path, 3, "cannot be parsed")


@dataclass
class FakeEngine:
    """In place of ``safecelery.lint.engine``: remembers what it was asked."""

    result: LintResult = field(default_factory=LintResult)
    document: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[tuple[str, ...], LintConfig]] = field(default_factory=list)
    progress: list[Any] = field(default_factory=list)

    def lint(
        self,
        paths: Sequence[str],
        config: LintConfig,
        *,
        progress: Callable[[int, int], None] | None = None,
        basis: object = None,
    ) -> LintResult:
        self.asked.append((tuple(paths), config))
        self.progress.append(progress)
        return self.result

    def facts(self, paths: Sequence[str], config: LintConfig) -> dict[str, Any]:
        self.asked.append((tuple(paths), config))
        return self.document
