"""What a result depends on, in one place: whatever is not here must not change a result.

* The question: arguments, working directory, the effective configuration (:func:`name_of`).
* Who answers: versions of safecelery and Python, size and time of the linter's, the policy's and the shipped policies'
  files (:func:`made_by`), the day in UTC (waivers expire), the user.
* The files of the walk, each with its stamp (:class:`safecelery.lint.source.survey.Survey`).
* What is looked at beside these (:class:`safecelery.lint.source.beside.Beside`): the policy's files, the baseline and
  whether the files it names are there, Git's index and ignore files, files that tell a project's folder.

The configuration file is read by every run, and counts by what it says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from safecelery._version import __version__
from safecelery.lint.config import LintConfig
from safecelery.lint.source.beside import Beside
from safecelery.lint.source.reading import Stamp
from safecelery.lint.source.survey import Survey
from safecelery.policy.shipped import shipped_directory

__all__ = ["RESULT_VERSION", "Basis", "digest", "name_of"]

RESULT_VERSION: Final = 1
"""To be raised when the form of a kept result changes."""

_PRESENTED: Final = frozenset({"output_format", "origins", "source"})
"""Parts of the configuration that say how a result is shown, and where the configuration is from."""
_PACKAGE: Final = Path(__file__).resolve().parents[2]


class Basis:
    """What one result depends on. The engine adds to ``beside``, and sets ``complete`` when it is done.

    ``began``: when the run did, by ``time.perf_counter``.
    """

    def __init__(self, surveyed: Survey, began: float = 0.0) -> None:
        self.began = began
        self.surveyed = surveyed
        self.beside = Beside()
        self.today = datetime.now(UTC).date()
        self.complete = False
        """The engine came to its end, and nothing that it saw holds for that moment only."""
        self._stamped = surveyed.stamped()

    def state(self, name: str) -> str | None:
        """A digest of all but ``beside``; None if the files of the walk cannot be told apart by stamps."""
        if self._stamped is None:
            return None
        user = os.getuid() if hasattr(os, "getuid") else ""
        return digest(name, str(RESULT_VERSION), self.today.isoformat(), str(user), *made_by(), self._stamped[0])

    def stamps(self) -> Iterator[Stamp]:
        """Of every file that there is."""
        yield from self._stamped[1] if self._stamped is not None else ()
        yield from self.beside.seen()


def name_of(paths: Sequence[str], config: LintConfig) -> str:
    """The question, as a name for a file: the same for the same arguments, directory and configuration.

    A digest, because the configuration may hold what nobody else should read.
    """
    said = [f"{item.name}={getattr(config, item.name)!r}" for item in fields(config) if item.name not in _PRESENTED]
    return digest(str(Path.cwd()), str(len(paths)), *paths, *said)[:32]


def digest(*parts: str) -> str:
    """One of all the texts."""
    import hashlib

    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def made_by() -> Iterator[str]:
    """The versions of what makes a result, and (for those who work on the linter) its files."""
    yield from (__version__, sys.version)
    for folder in (_PACKAGE / "lint", _PACKAGE / "policy", shipped_directory()):
        yield from _times(str(folder))


def _times(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name.endswith((".py", ".toml")):
                status = entry.stat()
                yield f"{entry.path} {status.st_size} {status.st_mtime_ns}"
            elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                yield from _times(entry.path)
    except OSError:  # installed as a zip archive: the version has to do
        return
