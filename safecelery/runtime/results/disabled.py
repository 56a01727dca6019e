"""No results at all."""

from __future__ import annotations

from celery.backends.base import DisabledBackend

from safecelery.runtime.results.errbacks import ErrbacksAside

__all__ = ["NoResultsBackend"]


class NoResultsBackend(ErrbacksAside, DisabledBackend):
    """``disabled://``. There is nothing to seal."""
