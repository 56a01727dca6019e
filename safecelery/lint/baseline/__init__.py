"""Known findings, kept in a file, so that only new ones fail."""

from __future__ import annotations

from safecelery.lint.baseline.compare import Comparison, Covered, compare
from safecelery.lint.baseline.file import Entry, entry_of, read_baseline, write_baseline

__all__ = ["Comparison", "Covered", "Entry", "compare", "entry_of", "read_baseline", "write_baseline"]
