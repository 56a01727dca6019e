"""The line of source a finding is about, masked and safe to print."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Final

from safecelery.deferred import dataclass
from safecelery.lint.report.characters import columns, visible
from safecelery.lint.report.masking import masked

__all__ = ["Excerpt", "Sources"]

_LARGEST: Final = 8_000_000
"""Bytes; a larger file is not read again for the sake of a quote."""
_LONGEST: Final = 160
"""Characters of a line that are shown."""
_WORD: Final = re.compile(r"@?[\w.]+|--?[\w-]+|\S")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One line and the part of it that matters; ``length`` 0 if that part cannot be pointed at."""

    text: str
    indent: int
    """Columns before the marked part."""
    length: int
    """Columns of it."""


class Sources:
    """Reads the files of findings again, one at a time: findings come file by file."""

    def __init__(self, base: str) -> None:
        self._base = Path(base)
        self._path: str | None = None
        self._lines: list[str] = []

    def excerpt(self, path: str, line: int, column: int) -> Excerpt | None:
        """The line, or None if there is none to show. Never raises: a report does not fail over a quote."""
        if line < 1:
            return None
        if path != self._path:
            self._path, self._lines = path, _read(self._base, path)
        if line > len(self._lines):
            return None
        original = self._lines[line - 1]
        python = path.endswith((".py", ".pyi"))
        text = masked(original, python=python)
        match = _WORD.match(original, max(column, 1) - 1)
        start, word = (match.start(), match[0]) if match else (0, "")
        if text != original:
            # The mask moved what follows it: point at the word only where it can still be found for certain.
            start, word = (text.find(word), word) if word and text.count(word) == 1 else (0, "")
        margin = len(text) - len(text.lstrip())
        text, start = text[margin:].rstrip(), start - margin
        if not text:
            return None
        if start < 0:
            start, word = 0, ""
        if len(text) > _LONGEST:
            text = text[: _LONGEST - 1] + "…"
            if start + len(word) >= len(text):
                start, word = 0, ""
        return Excerpt(_shown(text), columns(_shown(text[:start])), columns(_shown(word)))


def _shown(text: str) -> str:
    return visible(text.replace("\t", "    "))


def _read(base: Path, path: str) -> list[str]:
    try:
        file = base / path
        status = file.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return []
        # Lines as Python counts them: \n, \r\n and \r, not the further ones of str.splitlines.
        text = file.read_bytes().decode("utf-8-sig", "replace")
        return re.split("\r\n|\r|\n", text) if "\r" in text else text.split("\n")
    except (OSError, ValueError):
        return []
