"""What a fixer is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from safecelery.lint.finding import Finding
from safecelery.lint.fix.edits import Edit, Fix
from safecelery.lint.fix.source import Source
from safecelery.policy.limits import Limits

__all__ = ["Fixer", "one"]

Fixer: TypeAlias = Callable[[Source, Finding, Limits], tuple[Fix, ...]]
"""What to change in a source because of a finding; nothing if it cannot be told, or is done. Raises Unfixable."""


def one(description: str, edits: tuple[Edit, ...], *, safe: bool) -> tuple[Fix, ...]:
    """A fix, if there is anything to change."""
    return (Fix(description, edits, safe),) if edits else ()
