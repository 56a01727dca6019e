"""A value made of files: made anew when they change; where that fails, the last good one stays and somebody is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from safecelery.errors import SafeCeleryError

__all__ = ["PACE_S", "REMIND_S", "RETRY_S", "Failed", "Loaded", "Told", "Watched", "file_stamp"]

T = TypeVar("T")
#: Seconds between two looks at the files.
PACE_S = 1.0
#: Seconds after which broken files are read again although they did not change: what they lead to may have.
RETRY_S = 5.0
#: Seconds after which what is still broken is said again.
REMIND_S = 3600.0


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """The files were read, and mean something else than before, or are good again."""

    what: str
    """``trust`` or ``key``."""
    place: str
    before: T
    after: T
    mended: bool
    """They could not be used before."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The files cannot be used, and the last good value stays."""

    what: str
    place: str
    error: str
    """What is wrong, where, and how to mend it. Never a secret."""
    good_since: float
    """When the value that stays was last found good, in seconds since the epoch."""
    news: bool
    """Worth a line: another fault than at the last look, or one that lasts for another hour."""


class Told(Protocol):
    """Who hears of it."""

    def loaded(self, event: Loaded[Any]) -> None:
        """The files changed, for good."""
        ...

    def failed(self, event: Failed) -> None:
        """The files were tried in vain."""
        ...


def file_stamp(path: Path) -> tuple[int, ...]:
    """What tells states of a file apart; also another mode or owner (st_ctime), and, behind a link, another file."""
    try:
        found = os.stat(path)  # noqa: PTH116  # half the price, and this is asked every second
    except (OSError, ValueError) as error:
        return (-1, getattr(error, "errno", None) or 0)
    return (
        found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode, found.st_uid,
    )  # fmt: skip


class Watched(Generic[T]):
    """One such value.

    There is no lock: a process that is forked while another thread holds one would never look again. Two threads that
    look at once make the value twice, and both are good.

    Args:
        what: ``trust`` or ``key``, for events.
        place: the file, directory or reference, for events.
        load: makes the value. Raises SafeCeleryError where it cannot; the first time, the caller gets that.
        files: what to look at, given the last good value.
        told: hears of changes and failures.
        approve: has the last word on a new value, and the one it would replace; raises what ``load`` raises.
        clock: seconds, as :func:`time.monotonic`.
    """

    def __init__(
        self,
        what: str,
        place: str,
        load: Callable[[], T],
        files: Callable[[T], Iterable[Path]],
        told: Told,
        approve: Callable[[T, T], None] = lambda before, after: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._place, self._load, self._files = what, place, load, files
        self._told, self._approve, self._clock = told, approve, clock
        self._value = load()
        self.good_since = time.time()
        """When the files were last read and found good, in seconds since the epoch."""
        self._seen = self._stamps()
        self._again = True
        self._error = ""
        self._retry = self._remind = 0.0
        self._next = self._clock() + PACE_S

    @property
    def value(self) -> T:
        """The last good value; the files are looked at no more than once a second."""
        now = self._clock()
        if now >= self._next:
            self._next = now + PACE_S
            self._look(now)
        return self._value

    @property
    def broken(self) -> bool:
        """The files cannot be used as they are now."""
        return bool(self._error)

    def _stamps(self) -> tuple[tuple[Path, tuple[int, ...]], ...]:
        return tuple((path, file_stamp(path)) for path in self._files(self._value))

    def _look(self, now: float) -> None:
        found = self._stamps()
        changed = found != self._seen
        if not (changed or self._again or (self._error and now >= self._retry)):
            return
        # A second change within one tick of the file system's clock, or while the file is read, need not show in the
        # stamps: what changed is read once more at the next look.
        self._seen, self._again = found, changed
        before = self._value
        try:
            after = self._load()
            if after != before:
                self._approve(before, after)
        except SafeCeleryError as error:
            self._fail(str(error), now, changed)
        except Exception as error:  # noqa: BLE001  # the last good one stays, whatever it is
            self._fail(f"{self._place}: reading it failed with {type(error).__name__}", now, changed)
        else:
            mended, self._error = bool(self._error), ""
            self._value, self.good_since = after, time.time()
            if mended or after != before:
                self._told.loaded(Loaded(self._what, self._place, before, after, mended))

    def _fail(self, error: str, now: float, changed: bool) -> None:
        news = changed or error != self._error or now >= self._remind
        self._error, self._retry = error, now + RETRY_S
        if news:
            self._remind = now + REMIND_S
        self._told.failed(Failed(self._what, self._place, error, self.good_since, news))
