"""What a run looks at beside the files of its walk: written down, so that a result is reused only if it is the same.

Every place outside the walk that a verdict depends on is looked at through one of these: the policy's files, the
baseline, Git's index and ignore files, and whether files are there that tell a project's folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from safecelery.lint.source.reading import Stamp, stamp_of

__all__ = ["Beside"]


class Beside:
    """Absolute paths, with what was seen there."""

    def __init__(self) -> None:
        self.stamps: dict[str, Stamp | None] = {}
        """Of files whose contents matter; None for one that is not there."""
        self.present: dict[str, bool] = {}
        """Of what matters only by being there."""
        self.lasting = True
        """False: something was seen that no stamp stands for, such as a pipe, or a file that changed meanwhile."""

    def note(self, path: str) -> None:
        """The contents of this file matter. To be called before it is read."""
        self._add(path, *_look(path))

    def exists(self, path: str) -> bool:
        """Whether something is there, which matters."""
        self.present[path] = found = os.path.exists(path)
        return found

    def add(self, other: Beside) -> None:
        """What another one saw."""
        for path, stamp in other.stamps.items():
            self._add(path, stamp, lasting=True)
        self.present |= other.present
        self.lasting = self.lasting and other.lasting

    def unchanged(self) -> bool:
        """Whether all is as it was seen. Never raises."""
        return all(_look(path) == (stamp, True) for path, stamp in self.stamps.items()) and all(
            os.path.exists(path) is found for path, found in self.present.items()
        )

    def seen(self) -> Iterator[Stamp]:
        """The stamps of the files that are there."""
        return (stamp for stamp in self.stamps.values() if stamp is not None)

    def _add(self, path: str, stamp: Stamp | None, lasting: bool) -> None:
        self.lasting = self.lasting and lasting and self.stamps.get(path, stamp) == stamp
        self.stamps[path] = stamp


def _look(path: str) -> tuple[Stamp | None, bool]:
    """The stamp, and whether one stands for what is there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None, True
    return stamp_of(status), stat.S_ISREG(status.st_mode)
