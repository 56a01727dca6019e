"""What earlier runs made of files that were not touched since: one file of JSON per set of arguments.

Why it can be believed as far as it is: it lies in a folder that is ours and that nobody else may write to (otherwise
it is not used). A row counts only if modification time, **change time**, size and inode of the file are the row's, and
the versions of everything that made it are ours. The change time is set by the system when a file is created: a cache
that came along with a checkout or an archive cannot know it, so nobody can hand out a tree with a cache that says
something else than the tree. The form of what is read is checked, and JSON builds no objects; whatever is odd is
parsed afresh.

The file: a line of JSON (see ``_HEAD``), then for each matching file a line of JSON, its payload. It is written under
another name and moved into place, so that runs at the same time cannot mix; the last one wins.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any, Final

from safecelery.lint.source.folder import DefaultCache, open_folder, read_own, write_own
from safecelery.lint.source.reading import Stamp
from safecelery.lint.source.record import UnreadPart
from safecelery.lint.source.wrappers import Exports

__all__ = ["Cache", "Row", "open_cache", "settled"]

SCHEMA: Final = 1
_HEAD: Final = ("schema", "fingerprint", "key", "known", "rows", "lengths")
_RACE_NS: Final = 2_000_000_000
"""A file changed so shortly before it was read may change again within the same tick of its file system's clock."""


class Row:
    """What is remembered of one file."""

    __slots__ = ("asked", "stamp", "text", "unread")

    def __init__(self, stamp: Stamp, text: bytes | None, unread: list[UnreadPart], *, asked: bool) -> None:
        self.stamp = stamp
        self.text = text
        """The payload, as JSON; None: the file did not match."""
        self.unread = unread
        self.asked = asked
        """It did not match, but somebody asked for it."""


class Cache:
    """An opened cache: the rows of the last run, and where to write those of this one."""

    def __init__(self, path: str, key: str, fingerprint: str) -> None:
        self._path = path
        self._key = key
        self._fingerprint = fingerprint
        self._rows: dict[str, Any] = {}
        self._texts: list[bytes] = []
        self._began = time.time_ns()
        self.known: Exports = {}
        """What the modules of the last run export."""

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, path: str, stamp: Stamp) -> Row | None:
        """What is remembered of a file, if it is the same file still."""
        row = self._rows.get(path)
        if type(row) is not list or tuple(row[:4]) != stamp:
            return None
        if len(row) == 4:
            return Row(stamp, None, [], asked=False)
        if len(row) != 7:
            return None
        number, unread, asked = row[4:]
        if type(number) is not int or not 0 <= number < len(self._texts) or type(asked) is not bool:
            return None
        if type(unread) is not list or not all(map(_is_unread_part, unread)):
            return None
        return Row(stamp, self._texts[number], [(line, message) for line, message in unread], asked=asked)

    def may_keep(self, stamp: Stamp) -> bool:
        """Whether the file was left alone long enough for its stamp to tell."""
        return settled(stamp, self._began)

    def load(self) -> None:
        """Read what the last run wrote; nothing is remembered if it is missing, odd, or of other versions."""
        head, _, rest = read_own(self._path).partition(b"\n")
        import json

        try:
            fields = json.loads(head)
        except (ValueError, RecursionError):
            return
        if type(fields) is not dict or set(fields) != set(_HEAD) or fields["schema"] != SCHEMA:
            return
        if fields["fingerprint"] != self._fingerprint or fields["key"] != self._key:
            return
        rows, known, lengths = fields["rows"], fields["known"], fields["lengths"]
        if type(rows) is not dict or type(known) is not dict or type(lengths) is not list:
            return
        if not all(type(names) is list and all(type(name) is str for name in names) for names in known.values()):
            return
        if not all(type(length) is int and length >= 0 for length in lengths) or sum(lengths) + len(lengths) != len(
            rest
        ):
            return
        at = 0
        for length in lengths:
            self._texts.append(rest[at : at + length])
            at += length + 1
        self._rows = rows
        self.known = {key: set(names) for key, names in known.items()}

    def save(self, rows: dict[str, list[Any]], texts: Sequence[bytes], known: Exports) -> str | None:
        """Write this run's rows; gives a note if that failed."""
        import json

        head = {
            "schema": SCHEMA,
            "fingerprint": self._fingerprint,
            "key": self._key,
            "known": {key: sorted(names) for key, names in known.items()},
            "rows": rows,
            "lengths": [len(text) for text in texts],
        }
        line = json.dumps(head, separators=(",", ":")).encode()
        return write_own(self._path, (part for text in (line, *texts) for part in (text, b"\n")))


def settled(stamp: Stamp, began: int) -> bool:
    """Whether a file was left alone long enough before ``began`` (nanoseconds) for its stamp to tell."""
    return max(stamp[0], stamp[1]) < began - _RACE_NS


def open_cache(
    directory: str | DefaultCache | None, arguments: Sequence[str], fingerprint: str
) -> tuple[Cache | None, str | None]:
    """The cache for these arguments (all that decides which files are looked at), and a note if there can be none."""
    if directory is None:
        return None, None
    folder, note = open_folder(directory)
    if folder is None:
        return None, note
    import hashlib

    key = "\0".join(arguments)
    name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    cache = Cache(os.path.join(folder, f"lint-{name}.json"), key, fingerprint)
    cache.load()
    return cache, None


def _is_unread_part(part: object) -> bool:
    return type(part) is list and len(part) == 2 and type(part[0]) is int and type(part[1]) is str
