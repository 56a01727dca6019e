"""``celery beat``: when each entry ran last is kept in a JSON file, where Celery has a pickle."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from celery import beat
from celery.apps.beat import Beat
from celery.worker import components

from safecelery.errors import SafeCeleryError, SettingsError, StateFileError
from safecelery.stores.state_file import SHELVE_SUFFIXES, StateFile

__all__ = ["BeatStep", "SafeBeat", "SafeScheduler", "SafeService"]

logger = logging.getLogger("safecelery")

KIND: Final = "beat-schedule"
#: Bytes: a hundred thousand entries.
LARGEST: Final = 16 << 20
#: The name that Celery gives its own file, and beat of ours leaves alone.
CELERYS: Final = "celerybeat-schedule"
#: Seconds between two writes while there is always something due.
_PAUSE_S: Final = 1.0
#: Seconds by which a clock may have been set back without a word about it.
_JITTER: Final = timedelta(seconds=5)


class SafeScheduler(beat.Scheduler):
    """What ``celery.beat.PersistentScheduler`` does, without ``shelve``.

    The file holds, for each entry, its last run and the number of its runs; everything else comes from the settings at
    each start. It is written before beat sleeps, so that one that is killed does not send again what it has sent; where
    more is due than it can send without a pause, once a second. ``beat_sync_every = 1`` writes it after each task.
    """

    def __init__(self, *args: Any, schedule_filename: str, **kwargs: Any) -> None:
        self.file = StateFile(Path(schedule_filename), KIND, LARGEST)
        self._owns_file = False
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """As Celery's: what the settings have, with what the file remembers of it.

        Raises:
            StateFileError: the file cannot be used, or is not ours. Beat does not start.
        """
        self.file.hold()
        document = self.file.read()
        if document is None:
            self._say_that_it_begins()
        known = {} if document is None else self._entries(document)
        self.merge_inplace(self.app.conf.beat_schedule)
        self.install_default_entries(self.schedule)
        now = datetime.now(UTC)
        for name, (last_run_at, count) in known.items():
            if (entry := self.schedule.get(name)) is None:
                continue
            if last_run_at > now + _JITTER:
                logger.warning("beat: by %s, %r ran at %s, which is still to come; it counts from now",
                               self.file.path, name, last_run_at.isoformat())  # fmt: skip
                last_run_at = now
            # In the app's zone, as Celery keeps it: crontab looks at its hour (celery/schedules.py).
            entry.last_run_at = last_run_at.astimezone(self.app.timezone)
            entry.total_run_count = count
        self._owns_file = True
        self._write()

    def _entries(self, document: Mapping[str, Any]) -> dict[str, tuple[datetime, int]]:
        """Name to last run and number of runs; empty where the zone is another one, as with Celery."""
        entries, zone, utc = document.get("entries"), document.get("timezone"), document.get("enable_utc")
        if not isinstance(entries, dict) or not isinstance(zone, str | None) or not isinstance(utc, bool):
            self.file.broken("entries, timezone or enable_utc are missing")
        found = {}
        for name, entry in entries.items():
            moment = _moment(entry.get("last_run_at")) if isinstance(entry, dict) else None
            count = entry.get("total_run_count") if moment is not None else None
            if moment is None or type(count) is not int or not 0 <= count < 1 << 63:
                self.file.broken(f"entry {name!r:.80}")
            found[name] = (moment, count)
        if (zone, utc) != self._zone():
            logger.warning("beat: the time zone was %s (UTC %s) and is %s (UTC %s) now; all entries count from now",
                           zone, utc, *self._zone())  # fmt: skip
            return {}
        return found

    def _zone(self) -> tuple[str | None, bool]:
        zone = self.app.conf.timezone
        return None if zone is None else str(zone), bool(self.app.conf.enable_utc)

    def _say_that_it_begins(self) -> None:
        found = self.file.shelves()
        celerys = (self.file.path.with_name(CELERYS + suffix) for suffix in SHELVE_SUFFIXES)
        found += [path for path in celerys if path not in found and os.path.lexists(path)]
        if found:
            logger.warning(
                "beat: %s begins empty, so all entries count from now, and what should have run while no beat was "
                "running does not. %s looks like Celery's; it is a pickle and never opened here: delete it when you "
                "are sure that you do not go back",
                self.file.path, ", ".join(str(path) for path in found),
            )  # fmt: skip
        else:
            logger.info("beat: %s begins empty", self.file.path)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, one task at a time. Returns the seconds to sleep before the next call."""
        interval: float = super().tick(*args, **kwargs)
        if self._tasks_since_sync and (interval > 0 or time.monotonic() - (self._last_sync or 0) >= _PAUSE_S):
            self._do_sync()
        return interval

    def sync(self) -> None:
        """Write the file. Where that fails, beat goes on sending, and says each time that a restart would forget."""
        if not self._owns_file:
            return
        try:
            self._write()
        except StateFileError as error:
            logger.error("beat: a restart would send what was already sent: %s", error)

    def _write(self) -> None:
        zone, utc = self._zone()
        entries = {
            name: {"last_run_at": _written(entry.last_run_at), "total_run_count": entry.total_run_count}
            for name, entry in self.schedule.items()
        }
        self.file.write({"timezone": zone, "enable_utc": utc, "entries": entries})

    @property
    def info(self) -> str:
        """What the banner of beat shows."""
        return f"    . db -> {self.file.path}"


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        # Of another year there is no time in every zone, and no run either.
        return moment.astimezone(UTC) if moment.tzinfo and 1970 <= moment.year < 9999 else None
    except (ValueError, OverflowError):
        return None


def _written(moment: datetime) -> str:
    """Celery takes a naive time for UTC (celery/utils/time.py, ``maybe_make_aware``)."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


class SafeService(beat.Service):
    """Beat's main loop; a file that cannot be used ends it with a line instead of a traceback."""

    def start(self, embedded_process: bool = False) -> None:
        """Run until told to stop.

        Raises:
            SystemExit: with 1, the schedule cannot be used.
        """
        try:
            self.scheduler  # noqa: B018  # is made here
        except SafeCeleryError as error:
            logger.critical("beat does not start. %s", error)
            raise SystemExit(1) from None
        super().start(embedded_process)

    def get_scheduler(self, lazy: bool = False, extension_namespace: str = "celery.beat_schedulers") -> Any:
        """As Celery's, but a pickle is refused before it is opened."""
        _refuse_shelves(super().get_scheduler(lazy=True, extension_namespace=extension_namespace))
        return super().get_scheduler(lazy=lazy, extension_namespace=extension_namespace)


def _refuse_shelves(scheduler: Any) -> None:
    if isinstance(scheduler, beat.PersistentScheduler):
        raise SettingsError(
            f"beat_scheduler is {type(scheduler).__qualname__}, which keeps a pickle: whoever can write that file runs "
            "code in beat; fix: leave beat_scheduler and --scheduler out"
        )


class SafeBeat(Beat):
    """What ``celery beat`` runs."""

    Service = SafeService

    def start_scheduler(self) -> None:
        """As Celery's.

        Raises:
            SystemExit: with 1, the scheduler is one that keeps a pickle.
        """
        try:
            super().start_scheduler()
        except SettingsError as error:
            logger.critical("beat does not start. %s", error)
            raise SystemExit(1) from None


class BeatStep(components.Beat):
    """``celery worker --beat``: the same inside a worker."""

    label = "Beat"

    def create(self, w: Any) -> Any:
        """The process that will be started, with a service of ours."""
        embedded = super().create(w)
        embedded.service = SafeService(
            w.app, schedule_filename=w.schedule_filename, scheduler_cls=w.scheduler, remote_control=False
        )
        return cast("Any", embedded)
