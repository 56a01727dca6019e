"""The worker's step that shows its numbers: over HTTP while it runs, if asked to, and in one line when it stops."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery import bootsteps

from safecelery.runtime.guard import guard_of
from safecelery.runtime.startup import refusing_to_start
from safecelery.telemetry.endpoint import library, serve
from safecelery.telemetry.keys import key_gauges
from safecelery.telemetry.metrics import summary

__all__ = ["MetricsStep"]

logger = logging.getLogger("safecelery")


class MetricsStep(bootsteps.StartStopStep):
    """Starts after the pool, so that no pool process is forked from a process that already answers requests."""

    label = "safecelery metrics"
    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        """Refuse to start where a port is set that nothing could answer at.

        Raises:
            SecurityError: printed without a traceback, as in ``PolicyStep``.
        """
        super().__init__(worker, **kwargs)
        if guard_of(worker.app).settings.metrics.port is not None:
            with refusing_to_start():
                library()
        self._stop: Callable[[], None] | None = None

    def start(self, worker: Any) -> None:
        """Listen, if a port is set.

        Raises:
            SecurityError: it cannot; the worker does not start.
        """
        guard = guard_of(worker.app)
        settings = guard.settings.metrics
        if settings.port is None:
            return
        with refusing_to_start():
            self._stop = serve(settings.port, settings.address, key_gauges(guard.ring))
        logger.info("metrics at http://%s:%s/metrics", settings.address, settings.port)

    def stop(self, worker: Any) -> None:
        """Say what was admitted and refused, and listen no more."""
        logger.info("%s", summary())
        if self._stop is not None:
            self._stop()
            self._stop = None
