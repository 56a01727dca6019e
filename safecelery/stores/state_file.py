"""A small JSON file that a process keeps its state in over a restart: private, replaced in one step, never guessed at.

Celery keeps the same state in ``shelve`` files, which are pickles: who can write one runs code in whoever opens it.
Nothing is unpickled here, not even to see what it is: what does not begin as a file of ours is none.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from safecelery.errors import StateFileError

__all__ = ["SHELVE_SUFFIXES", "StateFile"]

VERSION: Final = 1
#: What the modules behind ``shelve`` append to the name they are given (celery/beat.py, ``known_suffixes``).
SHELVE_SUFFIXES: Final = ("", ".db", ".dat", ".bak", ".dir", ".pag")


@dataclass(slots=True)
class StateFile:
    """One file of one process.

    Args:
        path: where it is. Its directory must be there.
        kind: what it holds; a file of another kind is refused.
        largest: bytes; a larger one is refused.
    """

    path: Path
    kind: str
    largest: int
    _lock: int | None = field(default=None, repr=False)

    def hold(self) -> None:
        """Keep other processes from using the same file, until this one ends (POSIX lock on ``FILE.lock``).

        Children of a fork do not hold it: an orphan of a killed worker is in nobody's way.

        Raises:
            StateFileError: another process holds it, or the lock cannot be made.
        """
        if self._lock is not None:
            return
        place = self.path.with_name(f"{self.path.name}.lock")
        try:
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        except OSError as error:
            self._refuse(f"{place.name} beside it cannot be opened ({error.strerror})", "use a directory of its own")
        try:
            self._check(os.fstat(descriptor), place)
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EACCES, errno.EAGAIN):
                self._refuse("another process is using it", "stop that one first, or give each process its own file")
            self._refuse(f"{place.name} cannot be locked ({error.strerror})", "use a local file system")
        except StateFileError:
            os.close(descriptor)
            raise
        self._lock = descriptor

    def release(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read(self) -> Mapping[str, Any] | None:
        """What was written last; ``None`` if there is no file.

        Owner, mode and kind of the opened file are looked at, so that nobody can exchange it in between.

        Raises:
            StateFileError: a link, a pipe, a directory, somebody else's, open to others, too large, of another program
                or version, or broken. The file stays as it is.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                self._refuse("it is a symbolic link", "name the file itself")
            self._refuse(f"it cannot be opened ({error.strerror})", "let only the user of this process own it")
        try:
            self._check(os.fstat(descriptor), self.path)
            with open(descriptor, "rb", closefd=False) as stream:  # what was looked at, not its name
                data = stream.read(self.largest + 1)
        finally:
            os.close(descriptor)
        if len(data) > self.largest:
            self._refuse(f"it is larger than {self.largest} bytes", "move it away")
        return self._parsed(data)

    def write(self, content: Mapping[str, Any]) -> None:
        """Put the file in place of the last one, in one step and on disk when this returns. Two flushes of the disk.

        Raises:
            StateFileError: it cannot be written; the last one is still there.
        """
        data = json.dumps({"safecelery": self.kind, "version": VERSION, **content}, allow_nan=False).encode() + b"\n"
        if len(data) > self.largest:
            self._refuse(f"{len(data)} bytes are more than the {self.largest} that are read again", "keep less")
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        try:
            with suppress(FileNotFoundError):
                temporary.unlink()  # of a process that was killed while it wrote
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as stream:
                os.fchmod(stream.fileno(), 0o600)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.path)
            _flush_directory(self.path.parent)
        except OSError as error:
            self._refuse(f"it cannot be written ({error.strerror})", "give this process a directory it can write to")

    def shelves(self) -> list[Path]:
        """Files under this name, and names derived from it, that a ``shelve`` would use. Nothing is opened."""
        names = (self.path.with_name(self.path.name + suffix) for suffix in SHELVE_SUFFIXES)
        return [name for name in names if os.path.lexists(name)]

    def _check(self, found: os.stat_result, place: Path) -> None:
        mode = stat.S_IMODE(found.st_mode)
        if not stat.S_ISREG(found.st_mode):
            self._refuse(f"{place.name} is no regular file", "name another one")
        if found.st_uid != os.geteuid():
            self._refuse(
                f"{place.name} belongs to user {found.st_uid}, this process runs as {os.geteuid()}",
                "find out who put it there; chown it only if you know",
            )
        if mode & 0o077:
            self._refuse(
                f"{place.name} has mode {mode:04o}, so others may read or write it",
                f"find out who wrote to it, then chmod 600 {place}",
            )

    def _parsed(self, data: bytes) -> Mapping[str, Any]:
        if not data.startswith(b'{"safecelery": "'):
            self._refuse(
                "it is no state file of safecelery. Celery keeps pickles under such names; they are never opened here, "
                "since that runs whatever is in them",
                "name a file that is not there yet, or move this one away",
            )
        try:
            document = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            self._refuse("it is broken", "move it away, and find out what wrote to it: safecelery replaces it whole")
        if not isinstance(document, dict) or document.get("safecelery") != self.kind:
            self._refuse(f"it holds something else than {self.kind}", "name another file")
        version = document.get("version")
        if type(version) is not int or version != VERSION:
            self._refuse(
                f"it has version {version!r:.40}, this safecelery reads {VERSION}",
                "use the version of safecelery that wrote it, or move it away",
            )
        return document

    def broken(self, what: str) -> NoReturn:
        """Refuse what was read.

        Raises:
            StateFileError: always.
        """
        self._refuse(f"it is broken: {what}", "move it away, and find out what wrote to it")

    def _refuse(self, why: str, fix: str) -> NoReturn:
        raise StateFileError(f"state file {self.path} ({self.kind}): {why}; fix: {fix}")


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
