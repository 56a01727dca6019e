"""Runs the prefilter to its end: the first stage over every file, then names until no new one turns up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from safecelery.lint.source.child import can_fork
from safecelery.lint.source.reader import Read, Reader, folder_and_stem
from safecelery.lint.source.record import PythonFile, payload_of
from safecelery.lint.source.second import Chunks, Second, start_second
from safecelery.lint.source.stages import Stages
from safecelery.lint.source.wrappers import Exports, merge

__all__ = ["Hook", "Outcome", "Progress", "read_all"]

Progress: TypeAlias = Callable[[int, int], object]
"""Called with how many files were looked at, and of how many."""
Hook: TypeAlias = Callable[[], object] | None
"""Something else to do at a certain moment, if there is anything."""

_WORTH_A_PROCESS: Final = 150
"""Files below which forking costs more than it gains."""
_LEAST_CHUNK: Final = 4
"""Files that one process may still read when the other has none left: some take three milliseconds each."""
_MOST_CHUNKS: Final = 12_000
_SECONDS_BETWEEN: Final = 0.1


class Outcome:
    """What was read of one file. ``payload``, ``text`` (the payload as JSON) or both are there, or it did not match."""

    __slots__ = ("payload", "stamp", "text", "unread")

    def __init__(self, read: Read | None = None) -> None:
        self.stamp = read.stamp if read is not None else None
        self.payload = read.payload if read is not None else None
        self.unread = read.unread if read is not None else []
        self.text: bytes | None = None

    @property
    def matched(self) -> bool:
        """The file concerns us."""
        return self.payload is not None or self.text is not None


class _Told:
    """Progress, at most ten times a second."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._next = 0.0

    def __call__(self, done: int) -> None:
        if self._progress is None:
            return
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SECONDS_BETWEEN
            self._progress(min(done, self._total), self._total)


def read_all(
    files: Sequence[PythonFile],
    todo: Sequence[int],
    idle: Sequence[int],
    stages: Stages,
    known: Exports,
    progress: Progress | None = None,
    *,
    second: bool | None = None,
    meanwhile: Hook = None,
    then: Hook = None,
) -> dict[int, Outcome]:
    """Read the files at ``todo``; and those at ``idle`` (known not to match) if new names call for it.

    ``known`` is what the modules not read again are known to export; it is added to. ``second`` forces or forbids the
    second process. ``meanwhile`` is called when that has begun: it makes something ready that is needed afterwards.
    ``then`` is called when all files are read, and little is left but to wait for the other.
    """
    told = _Told(progress, len(todo))
    reader = Reader(files, stages, {key: set(names) for key, names in known.items()})
    outcomes: dict[int, Outcome] = {}
    size = max(_LEAST_CHUNK, len(todo) // _MOST_CHUNKS + 1)
    chunks = Chunks((len(todo) + size - 1) // size)

    def members(number: int) -> list[int]:
        return list(todo[number * size : (number + 1) * size])

    child: Second | None = None
    try:
        if second or (second is None and len(todo) >= _WORTH_A_PROCESS and can_fork()):
            child = start_second(reader, chunks, members)
        if meanwhile is not None:
            meanwhile()
        for number in chunks:
            told(number * size)
            for index in members(number):
                outcomes[index] = Outcome(reader.first(index))
        earlier = Reader(files, stages, {key: set(names) for key, names in known.items()})
        earlier.expect(idle)
        _Rounds(files, known, outcomes, reader, earlier, child).run(todo, then)
    finally:
        chunks.close()
        if child is not None:
            child.end()
    if progress is not None:
        progress(len(todo), len(todo))
    return outcomes


class _Rounds:
    """The second stage, in three places: what this process read, what the child read, what an earlier run read."""

    def __init__(
        self,
        files: Sequence[PythonFile],
        known: Exports,
        outcomes: dict[int, Outcome],
        reader: Reader,
        earlier: Reader,
        child: Second | None,
    ) -> None:
        self._files = files
        self._known = known
        self._outcomes = outcomes
        self._reader = reader
        self._earlier = earlier
        self._child = child
        self._with_child: set[int] = set()
        """Unmatched files that only the child has looked at."""

    def run(self, todo: Sequence[int], then: Hook) -> None:
        """Finish the first stage, then ask until nobody learns a new name."""
        exports = self._reader.exports()  # while the child sends what it has found
        if then is not None:
            then()
        exports |= self._receive()
        for index in todo:
            if index not in self._outcomes:
                self._outcomes[index] = Outcome(self._reader.first(index))
        exports |= self._reader.exports()
        fresh = self._learn(exports)
        wanted = {key: set(names) for key, names in self._known.items()}
        while wanted:
            asked = self._child is not None and self._child.ask({key: sorted(names) for key, names in wanted.items()})
            self._keep(self._reader.follow(wanted))
            if fresh:  # what an earlier run read was asked then for all that was known then
                self._keep(self._earlier.follow(fresh))
            if asked:
                self._decode()
            exports = self._receive() if asked else {}
            if self._child is not None and not asked:
                self._lose()
            exports |= self._reader.exports()
            exports |= self._earlier.exports()
            wanted = fresh = self._learn(exports)

    def _receive(self) -> dict[int, list[str]]:
        """The child's part of a round."""
        if self._child is None:
            return {}
        delivery = self._child.receive()
        if delivery is None:
            self._lose()
            return {}
        for index, (stamp, unread, text) in delivery.files.items():
            outcome = self._outcomes[index] = Outcome()
            outcome.stamp = stamp
            outcome.unread = unread
            outcome.text = text
            if text is None:
                self._with_child.add(index)
            else:
                self._with_child.discard(index)
        self._with_child.difference_update(delivery.unsent)
        self._keep({index: self._reader.forced(index) for index in delivery.unsent})
        return delivery.exports

    def _decode(self) -> None:
        """While the child is still at it: what it sent will be needed."""
        for outcome in self._outcomes.values():
            if outcome.text is not None and outcome.payload is None:
                outcome.payload = payload_of(outcome.text)

    def _lose(self) -> None:
        """The child died: the files that did not match there are read again here."""
        self._child = None
        self._reader.expect(self._with_child)
        self._with_child = set()
        self._keep(self._reader.follow(self._known))

    def _keep(self, found: dict[int, Read]) -> None:
        for index, read in found.items():
            self._outcomes[index] = Outcome(read)

    def _learn(self, exports: dict[int, list[str]]) -> Exports:
        """What of this was not known."""
        fresh: Exports = {}
        for index, names in exports.items():
            folder, stem = folder_and_stem(self._files[index])
            for key, new in merge(self._known, folder, stem, names).items():
                fresh.setdefault(key, set()).update(new)
        return fresh
