"""What earlier runs have read, and what this one adds to it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from safecelery.lint.source.cache import Cache, Row, open_cache
from safecelery.lint.source.folder import DefaultCache
from safecelery.lint.source.reading import Stamp, stamp_of
from safecelery.lint.source.record import FileRecord, PythonFile
from safecelery.lint.source.stages import fingerprint

__all__ = ["Kept"]


class Kept:
    """The cache of one run, if it has one. Without, everything is to be read and nothing is written."""

    def __init__(self) -> None:
        self.changed = False
        """There is something to write."""
        self.known: dict[str, set[str]] = {}
        """Wrappers of decorators that were found in modules."""
        self._cache: Cache | None = None
        self._stamps: dict[str, Stamp] = {}
        self._rows: dict[str, Row] = {}
        self._texts: dict[str, bytes] = {}
        self._unmatched: dict[str, Stamp] = {}

    def open(self, directory: str | DefaultCache, shape: Sequence[str]) -> str | None:
        """Read what is there. Returns what the user should know, if anything."""
        self._cache, note = open_cache(directory, shape, fingerprint())
        if self._cache is not None:
            self.known = self._cache.known
        return note

    def plan(self, files: Sequence[PythonFile]) -> tuple[list[int], list[int]]:
        """Which files must be read, and which an earlier run has read."""
        if self._cache is None or not len(self._cache):
            return list(range(len(files))), []
        todo: list[int] = []
        idle: list[int] = []
        for index, file in enumerate(files):
            try:
                stamp = stamp_of(os.stat(file.absolute))
            except OSError:
                todo.append(index)
                continue
            row = self._cache.row(file.absolute, stamp)
            if row is None:
                todo.append(index)
                continue
            idle.append(index)
            if row.text is None:
                self._unmatched[file.absolute] = stamp
            else:
                self._rows[file.absolute] = row
        return todo, idle

    def row(self, path: str) -> Row | None:
        """What an earlier run kept of a file that is still the same."""
        return self._rows.get(path)

    def reuse(self, path: str, row: Row) -> None:
        """Keep what an earlier run kept."""
        self._stamps[path] = row.stamp
        if row.text is not None:
            self._texts[path] = row.text

    def read(self, path: str, stamp: Stamp | None, text: bytes | None = None) -> None:
        """A file was read now, and concerns Celery or was asked for; ``text`` is its payload as JSON."""
        self._rows.pop(path, None)
        self._unmatched.pop(path, None)
        if stamp is not None:
            self._stamps[path] = stamp
        if text is not None:
            self._texts[path] = text
        self.changed = True

    def does_not_match(self, path: str, stamp: Stamp | None) -> None:
        """A file was looked at now and does not concern Celery."""
        self._rows.pop(path, None)
        if self._cache is not None and stamp is not None and self._cache.may_keep(stamp):
            self._unmatched[path] = stamp
        self.changed = True

    def spoiled(self, path: str) -> None:
        """What was kept of the file is not what a payload looks like."""
        self._texts.pop(path, None)
        self.changed = True

    def forget_what_is_gone(self) -> None:
        """To be called once all files are planned and read."""
        if self._cache is not None and len(self._cache) != len(self._unmatched) + len(self._rows):
            self.changed = True

    def save(self, records: Iterable[tuple[str, FileRecord]], asked: Mapping[str, Any]) -> str | None:
        """Write the cache, if there is one and something changed. Returns what went wrong.

        ``asked``: the paths of those that were read because something imported them.
        """
        if self._cache is None or not self.changed:
            return None
        import json

        rows: dict[str, list[Any]] = {path: list(stamp) for path, stamp in self._unmatched.items()}
        texts: list[bytes] = []
        for path, record in records:
            stamp = self._stamps.get(path)
            if stamp is None or not self._cache.may_keep(stamp):
                continue
            text = self._texts.get(path)
            if text is None:
                try:
                    payload = [record.ir, record.sites, record.comments]
                    text = json.dumps(payload, separators=(",", ":")).encode()
                except (TypeError, ValueError, RecursionError):  # too deep for JSON: parsed each time
                    continue
            rows[path] = [*stamp, len(texts), record.unread_parts, path in asked]
            texts.append(text)
        self.changed = False
        return self._cache.save(rows, texts, self.known)
