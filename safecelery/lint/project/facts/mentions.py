"""Which names out of a configuration the project's own code reads: what Celery does not know may be theirs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from safecelery.lint.source.reading import TooLargeError, read_bytes

__all__ = ["read_by_code"]

_LARGEST = 4_000_000


def read_by_code(paths: Iterable[str], names: Collection[str]) -> frozenset[str]:
    """The names that some file does more with than define them. Every file is looked at, so ask only for strange names.

    Text is searched, not syntax: a mention in a doubtful place (a docstring) counts as a reading, so that nothing in
    use is called unread.
    """
    found: set[str] = set()
    missing = set(names)
    for path in paths:
        if not missing:
            break
        try:
            text = _head(path)
        except OSError:
            continue
        for name in sorted(missing):
            if name.encode() in text and _is_read(name, text.decode("utf-8", "replace")):
                found.add(name)
        missing -= found
    return frozenset(found)


def _head(path: str) -> bytes:
    try:
        return read_bytes(path)[0][:_LARGEST]
    except TooLargeError:
        with Path(path).open("rb") as stream:
            return stream.read(_LARGEST)


def _is_read(name: str, text: str) -> bool:
    for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
        start = text.rfind("\n", 0, match.start()) + 1
        before = text[start : match.start()]
        after = text[match.end() : match.end() + 40].lstrip(" \t\"'])")
        if "#" in before:
            continue
        quoted = before[-1:] in ("'", '"')
        if quoted and not re.search(r"(?:getattr\(|settings|config|conf\b).*$", before):
            continue  # most often the variable of the environment that the setting is taken from
        if quoted and re.search(r"\benv(?:iron)?\b|getenv", before):
            continue
        if re.match(r"(?::[^=\n]*)?(?:[-+|]?=)(?!=)", after) and not before.rstrip().endswith(("(", ",", "=")):
            continue  # defined, or changed
        if not quoted and re.fullmatch(r"\s*(?:\"\"\")?", before) and re.match(r"[:.]?\s", after):
            continue
        return True
    return False
