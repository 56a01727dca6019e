"""The result of the last run, where nothing that it depends on has changed."""

from __future__ import annotations

from safecelery.lint.reuse.run import lint

__all__ = ["lint"]
