"""The worker's step that looks at keys while no message comes, so that nothing about them is found out too late."""

from __future__ import annotations

from typing import Any

from celery import bootsteps

from safecelery.keys.live import LiveKeyring
from safecelery.runtime.guard import Guard, guard_of

__all__ = ["KeysStep"]

#: Seconds between two looks of an idle worker. A busy one looks at each message, no more than once a second.
IDLE_LOOK_S = 5.0


def look(guard: Guard) -> None:
    """Follow changed files, and warn of keys that expire."""
    if isinstance(guard.ring, LiveKeyring):
        guard.ring.look()
    guard.expiry.look(guard.ring)


class KeysStep(bootsteps.StartStopStep):
    """Uses the worker's own timer, so there is no thread."""

    label = "safecelery keys"
    requires = ("celery.worker.components:Timer",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._entry: Any = None

    def start(self, worker: Any) -> None:
        """Warn of keys that expire, in the log that is a worker's, and look from now on."""
        guard = guard_of(worker.app)
        guard.expiry.look(guard.ring, again=True)
        self._entry = worker.timer.call_repeatedly(IDLE_LOOK_S, look, (guard,))

    def stop(self, worker: Any) -> None:
        """Look no more."""
        if self._entry is not None:
            self._entry.cancel()
            self._entry = None
