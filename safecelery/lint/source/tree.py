"""From paths to records: the entry point of this package."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from safecelery.lint.pausing import no_collection
from safecelery.lint.source.beside import Beside
from safecelery.lint.source.cache import Row
from safecelery.lint.source.folder import DEFAULT_CACHE, DefaultCache
from safecelery.lint.source.hints import is_hinted_file
from safecelery.lint.source.kept import Kept
from safecelery.lint.source.modules import ModuleIndex
from safecelery.lint.source.record import (
    FileRecord,
    OtherFile,
    Payload,
    PythonFile,
    UnreadPart,
    nothing,
    payload_of,
)
from safecelery.lint.source.stages import Stages, load_stages
from safecelery.lint.source.survey import Survey, survey

if TYPE_CHECKING:
    from safecelery.lint.finding import Unread
    from safecelery.lint.source.rounds import Hook, Outcome, Progress

__all__ = ["SourceTree", "collect"]


def collect(
    paths: Sequence[str],
    *,
    include_tests: bool = False,
    exclude: Sequence[str] = (),
    cache_dir: str | DefaultCache | None = DEFAULT_CACHE,
    progress: Progress | None = None,
    stages: Stages | None = None,
    second: bool | None = None,
    surveyed: Survey | None = None,
    meanwhile: Hook = None,
    then: Callable[[SourceTree], object] | None = None,
) -> SourceTree:
    """Find, read and reduce every python file of ``paths`` that concerns Celery.

    ``exclude``: globs, see walk.py. ``cache_dir``: None works without a cache. ``progress(done, total)`` is called at
    most ten times a second. ``stages`` and ``second`` (force or forbid the second process) are for tests.
    ``surveyed``: the paths were looked at before. ``meanwhile`` is called when a second process has begun to read, if
    one does, and ``then`` with the tree, whose files are found but not all read, when that one may have time for
    something else. Neither is called if there is nothing to read.
    What cannot be read is in ``unread`` of the result; nothing is raised for it.
    """
    with no_collection():
        tree = SourceTree(surveyed or survey(paths, exclude), include_tests=include_tests, stages=stages)
        if cache_dir is not None:
            shape = [*map(os.path.abspath, paths), f"tests={include_tests}", *exclude]
            tree._note(tree._kept.open(cache_dir, shape))
        tree._read(progress, second, meanwhile, None if then is None else partial(then, tree))
    return tree


class SourceTree:
    """The files of one run. Made by :func:`collect`; call :meth:`save` when no more files will be asked for."""

    def __init__(self, surveyed: Survey, *, include_tests: bool, stages: Stages | None) -> None:
        self._found = found = surveyed.found
        self._stages = stages
        self._all = [*found.python, *surveyed.around]
        self._around = {file.absolute for file in surveyed.around}
        self._hinted: dict[str, bool] = {}
        self._chosen = [file for file in found.python if include_tests or not file.is_test]
        self._links = dict(found.links)
        self._index: ModuleIndex | None = None
        self._by_path: dict[str, PythonFile] | None = None
        self._kept = Kept()
        self._records: dict[str, FileRecord] = {}
        self._loaded: dict[str, FileRecord | None] = {}
        self._here = os.getcwd().rstrip(os.sep) + os.sep
        self.records: list[FileRecord] = []
        """The python files that concern Celery, in the order of the arguments, then of the paths."""
        self.other_files: list[OtherFile] = [file for file in found.others if include_tests or not file.is_test]
        """Deployment candidates, in the same order. They were not read."""
        self.notes: list[str] = list(found.notes)
        """What the reader should know."""
        self.beside = Beside()
        """What was looked at that is none of the files above."""

    @property
    def files(self) -> int:
        """How many python files were looked at."""
        return len(self._chosen)

    @property
    def roots(self) -> tuple[str, ...]:
        """The absolute folders that were named, or that hold a named file."""
        return tuple(self._found.roots)

    @property
    def unread(self) -> list[Unread]:
        """What could not be read so far, in order of path and line; :meth:`load` may add to it."""
        strange = [record for record in (*self.records, *self._loaded.values()) if record and record.unread_parts]
        if not strange and not self._found.problems:
            return []  # most trees: spares the import
        from safecelery.lint.finding import Unread

        found = [Unread(self.shown(path), 0, message) for path, message in self._found.problems]
        for record in strange:
            found += record.unread
        return sorted(set(found), key=lambda each: (each.path, each.line, each.message))

    def shown(self, absolute: str) -> str:
        """A path for messages: relative to the working directory where it lies below it, with slashes."""
        path = absolute[len(self._here) :] if absolute.startswith(self._here) else absolute
        return path.replace(os.sep, "/") if os.sep != "/" else path

    def load(self, path: str) -> FileRecord | None:
        """Any python file of the tree, by its absolute path or its path below an argument; read now if need be.

        None for a path that is no file of the tree. One that cannot be read gives an empty record with ``unread``.
        """
        file = self._file(path)
        if file is None:
            return None
        record = self._records.get(file.absolute)
        if record is not None:
            return record
        if file.absolute not in self._loaded:
            self._loaded[file.absolute] = self._load(file)
        return self._loaded[file.absolute]

    def find_module(self, dotted: str, importer: FileRecord | None = None) -> FileRecord | None:
        """The module of this absolute dotted name, as ``importer`` would get it; None if it is not in the tree."""
        file = self._modules.find(dotted, importer.file if importer is not None else None)
        return self.load(file.absolute) if file is not None else None

    def concerns_celery(self, file: PythonFile) -> bool:
        """Whether a file of the surroundings would be looked at for its own sake, if it had been named."""
        if file.absolute not in self._around:
            return False
        if file.absolute not in self._hinted:
            try:
                self._hinted[file.absolute] = is_hinted_file(file.absolute)
            except OSError:
                self._hinted[file.absolute] = False
        return self._hinted[file.absolute]

    def shown_around(self) -> set[str]:
        """The paths, as messages have them, of what is only there to be imported."""
        return {self.shown(path) for path in self._around}

    def is_around(self, file: PythonFile) -> bool:
        """The file was not named and lies in no folder that was: imports lead to it, but it is not checked."""
        return file.absolute in self._around

    def find_file(self, dotted: str, importer: PythonFile | None = None) -> PythonFile | None:
        """As :meth:`find_module`, without reading the file."""
        return self._modules.find(dotted, importer)

    def names_of(self, file: PythonFile) -> tuple[str, ...]:
        """Dotted names under which a file may be imported, the likeliest first."""
        if not file.modules:
            file.modules = self._modules.names(file)
        return file.modules

    @property
    def python_files(self) -> list[PythonFile]:
        """Every python file found, read or not, tests included."""
        return self._all

    def save(self) -> None:
        """Write the cache, if there is one and something changed. What goes wrong becomes a note."""
        loaded = ((path, record) for path, record in self._loaded.items() if record is not None)
        self._note(self._kept.save(itertools.chain(self._records.items(), loaded), self._loaded))

    def _note(self, note: str | None) -> None:
        if note is not None:
            self.notes.append(note)
            self.beside.lasting = False  # it tells of this run, not of the tree

    @property
    def _modules(self) -> ModuleIndex:
        if self._index is None:
            self._index = ModuleIndex(self._all, self._links, self._roots(), self.beside)
        return self._index

    def _roots(self) -> list[str]:
        return list(dict.fromkeys([*self._found.roots, *(file.root for file in self._all)]))

    def _file(self, path: str) -> PythonFile | None:
        if self._by_path is None:
            self._by_path = {file.absolute: file for file in self._all}
        found = self._by_path.get(path) or self._by_path.get(self._links.get(path, ""))
        if found is None and not os.path.isabs(path):
            candidates = (self._by_path.get(os.path.join(root, path)) for root in self._found.roots)
            found = next((file for file in candidates if file is not None), None)
        return found

    def _loaded_stages(self) -> Stages:
        if self._stages is None:
            self._stages = load_stages()
        return self._stages

    def _read(self, progress: Progress | None, second: bool | None, meanwhile: Hook, then: Hook) -> None:
        def get_ready() -> None:
            if meanwhile is not None:
                meanwhile()
            _ = self._modules  # while another process reads

        todo, idle = self._kept.plan(self._chosen)
        outcomes: dict[int, Outcome] = {}
        if todo:
            from safecelery.lint.source.rounds import read_all

            outcomes = read_all(
                self._chosen,
                todo,
                idle,
                self._loaded_stages(),
                self._kept.known,
                progress,
                second=second,
                meanwhile=get_ready,
                then=then,
            )
        elif progress is not None:
            progress(0, 0)
        named = {argument: os.path.abspath(argument) for argument in {file.argument for file in self._chosen}}
        for index, file in enumerate(self._chosen):
            outcome = outcomes.get(index)
            record = self._record_of(file, outcome) if outcome is not None else self._kept_record(file)
            if record is None and file.absolute == named[file.argument]:
                record = self._load(file)  # whoever names a file wants it read, whatever its words
            if record is not None:
                self._records[file.absolute] = record
                self.records.append(record)
        self._kept.forget_what_is_gone()

    def _record_of(self, file: PythonFile, outcome: Outcome) -> FileRecord | None:
        if not outcome.matched:
            self._kept.does_not_match(file.absolute, outcome.stamp)
            return None
        self._kept.read(file.absolute, outcome.stamp, outcome.text)
        if outcome.text is None or outcome.payload is not None:
            return self._record(file, outcome.unread, payload=outcome.payload)
        return self._record(file, outcome.unread, text=outcome.text)

    def _kept_record(self, file: PythonFile) -> FileRecord | None:
        """The record of the last run; None for a file that did not match."""
        row = self._kept.row(file.absolute)
        if row is None or row.asked:
            return None
        return self._from_row(file, row)

    def _from_row(self, file: PythonFile, row: Row) -> FileRecord:
        self._kept.reuse(file.absolute, row)
        return self._record(file, row.unread, text=row.text)

    def _load(self, file: PythonFile) -> FileRecord:
        row = self._kept.row(file.absolute)
        if row is not None:
            return self._from_row(file, row)
        from safecelery.lint.source.reader import Reader

        read = Reader([file], self._loaded_stages(), {}).forced(0)
        self._kept.read(file.absolute, read.stamp)
        return self._record(file, read.unread, payload=read.payload)

    def _record(
        self, file: PythonFile, unread: list[UnreadPart], *, payload: Payload | None = None, text: bytes | None = None
    ) -> FileRecord:
        if not file.modules:
            file.modules = self._modules.names(file)
        if text is None:
            return FileRecord(file, self.shown(file.absolute), unread, payload=payload or nothing())

        def decode() -> Payload:
            decoded = payload_of(text)
            if decoded is None:
                decoded = self._again(file, unread)
            return decoded

        return FileRecord(file, self.shown(file.absolute), unread, decode=decode)

    def _again(self, file: PythonFile, unread: list[UnreadPart]) -> Payload:
        """A file whose cached payload is not what a payload looks like."""
        from safecelery.lint.source.reader import Reader

        self._kept.spoiled(file.absolute)
        read = Reader([file], self._loaded_stages(), {}).forced(0)
        unread[:] = read.unread
        return read.payload if read.payload is not None else nothing()
