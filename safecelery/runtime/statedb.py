"""``celery worker --statedb FILE``: the revoked tasks outlive the worker, in JSON where Celery has a pickle.

A revoked id is kept for as long as Celery keeps it in memory (``CELERY_WORKER_REVOKE_EXPIRES``, seconds, three hours),
counted from the revoke and not from the restart, and no more of them than ``CELERY_WORKER_REVOKES_MAX``.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import time
from pathlib import Path
from typing import Any, Final

from celery.worker import components

from safecelery.errors import StateFileError
from safecelery.stores.state_file import StateFile

__all__ = ["RevokedTasks", "StateDBStep"]

logger = logging.getLogger("safecelery")

KIND: Final = "revoked-tasks"
#: Bytes. The longest id a command may name has 1024 characters; 50,000 of the usual length make three MiB.
LARGEST: Final = 64 << 20
#: Seconds between two looks whether something is new. A revoke by command is looked for before it is answered.
INTERVAL_S: Final = 1.0


class RevokedTasks:
    """What ``celery.worker.state.Persistent`` does, without ``shelve``.

    Args:
        state: ``celery.worker.state``.
        filename: of the file, as the user gave it.
        clock: the app's logical clock, or nothing.

    Raises:
        StateFileError: the file cannot be used, or is not ours.
    """

    def __init__(self, state: Any, filename: str, clock: Any = None) -> None:
        self.state, self.clock = state, clock
        self.file = StateFile(Path(filename), KIND, LARGEST)
        self._pid, self._failing = os.getpid(), False
        self._tried = -math.inf
        self.file.hold()
        document = self.file.read()
        if document is None:
            self._refuse_to_forget()
        else:
            self._merge(document.get("revoked"), document.get("clock"))
        self._saved = object()
        self._write()  # what cannot be written later had better be known now

    def save(self) -> None:
        """At the end of the worker; expired ids are left out."""
        if self._pid == os.getpid():
            self.state.revoked.purge()
            self._try()

    def save_changes(self) -> None:
        """If something is new. What cannot be written stays in memory, is logged once, and tried again."""
        if self._newest() is not self._saved:
            self._try()

    def save_soon(self) -> None:
        """As :meth:`save_changes`, but no more often than in each interval: the timer has the rest."""
        if time.monotonic() - self._tried >= INTERVAL_S:
            self.save_changes()

    def _try(self) -> None:
        self._tried = time.monotonic()
        try:
            self._write()
        except StateFileError as error:
            if not self._failing:
                logger.error("revoked tasks are kept in memory only: %s", error)
            self._failing = True
        else:
            if self._failing:
                logger.warning("revoked tasks are kept in %s again", self.file.path)
            self._failing = False

    def _write(self) -> None:
        newest = self._newest()
        behind = time.time() - time.monotonic()
        entries = sorted(self.state.revoked._data.values())
        self.file.write(
            {
                "clock": self.clock.forward() if self.clock else 0,
                "revoked": [[item, stamp + behind] for stamp, _, item in entries if isinstance(item, str)],
            }
        )
        self._saved = newest

    def _newest(self) -> object:
        """What was added last: every addition is a new tuple at the end (celery/utils/collections.py, LimitedSet)."""
        return next(reversed(self.state.revoked._data.values()), None)

    def _merge(self, revoked: Any, clock: Any) -> None:
        if type(clock) is not int or not 0 <= clock < 1 << 63:
            self.file.broken("clock is no number of events")
        if not isinstance(revoked, list) or not all(map(_is_entry, revoked)):
            self.file.broken("revoked is no list of ids and times")
        now, monotonic = time.time(), time.monotonic()
        for task_id, moment in sorted(revoked, key=lambda entry: float(entry[1])):
            age = max(0.0, now - moment)  # a clock that was set back must not keep an id for ever
            if age < self.state.revoked.expires:
                self.state.revoked.add(task_id, monotonic - age)
        if self.clock:
            self.clock.adjust(clock)

    def _refuse_to_forget(self) -> None:
        """A worker that starts without the ids that Celery kept would run what was revoked."""
        if shelves := self.file.shelves():
            names = ", ".join(str(path) for path in shelves)
            raise StateFileError(
                f"state file {self.file.path} ({KIND}): {names} looks like what Celery kept under this name. It is a "
                "pickle and never opened here, since that runs whatever is in it; fix: name another file, which begins "
                "empty, or move this one away. Revoke anew what must not run and still waits"
            )


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, list) or len(entry) != 2:
        return False
    task_id, moment = entry
    return isinstance(task_id, str) and bool(task_id) and type(moment) in (int, float) and abs(moment) < 1e12


class StateDBStep(components.StateDB):
    """The worker's step of that name."""

    requires = (components.Timer,)
    label = "StateDB"

    def create(self, w: Any) -> None:
        """Read the file, and keep it up to date from now on.

        Raises:
            StateFileError: it cannot be used; the worker does not start.
        """
        w._persistence = kept = RevokedTasks(w.state, w.statedb, w.app.clock)
        w.timer.call_repeatedly(INTERVAL_S, kept.save_changes)
        atexit.register(kept.save)
