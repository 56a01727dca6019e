"""From paths to one record per file: walk, prefilter, parse, reduce; cached, and in two processes."""

from __future__ import annotations

from safecelery.lint.source.folder import DEFAULT_CACHE, DefaultCache
from safecelery.lint.source.record import FileRecord, OtherFile
from safecelery.lint.source.tree import SourceTree, collect

__all__ = ["DEFAULT_CACHE", "DefaultCache", "FileRecord", "OtherFile", "SourceTree", "collect"]
