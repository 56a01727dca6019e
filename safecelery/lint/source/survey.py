"""Which files a run is about, found before any of them is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from safecelery.lint.source.context import context_of
from safecelery.lint.source.reading import Stamp, stamp_of
from safecelery.lint.source.record import OtherFile, PythonFile
from safecelery.lint.source.testfiles import mark_tests
from safecelery.lint.source.walk import Walk, walk

__all__ = ["Survey", "survey"]


class Survey:
    """The files below the arguments, and those of the packages around them."""

    __slots__ = ("around", "found")

    def __init__(self, found: Walk, around: list[PythonFile]) -> None:
        self.found = found
        self.around = around

    def stamped(self) -> tuple[str, list[Stamp]] | None:
        """All that was found, each file with its stamp, as one text; and the stamps.

        None if that does not tell all: a folder could not be listed, a file is gone, or is none (a pipe).
        """
        found = self.found
        if found.problems:
            return None
        counts = (len(found.roots), len(found.notes), len(found.links), len(found.python), len(found.others))
        parts = [*map(str, counts), *found.roots, *found.notes, *(part for link in found.links for part in link)]
        stamps: list[Stamp] = []
        files: list[PythonFile | OtherFile] = [*found.python, *found.others, *self.around]
        for file in files:
            try:
                status = os.stat(file.absolute)
            except (OSError, ValueError):
                return None
            if not stat.S_ISREG(status.st_mode):
                return None
            stamp = stamp_of(status)
            stamps.append(stamp)
            parts.append(f"{file.absolute}\0{file.argument}\0{file.is_test}\0{stamp}")
        return "\0".join(parts), stamps


def survey(paths: Sequence[str], exclude: Sequence[str] = ()) -> Survey:
    """Look at every argument. Reads nothing and raises nothing; ``exclude``: globs, see walk.py."""
    found = walk(paths, exclude)
    mark_tests(found.python, found.others)
    return Survey(found, context_of(paths, found.python, exclude))
