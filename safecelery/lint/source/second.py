"""A second process that reads half of the files, where the system can fork cheaply.

Both processes take numbers of chunks from one pipe: a read of four bytes is atomic, so neither waits for the other and
no chunk is taken twice. What the child found comes back as JSON. A child that dies costs only time: what it took and
did not deliver is read here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, Final

from safecelery.lint.source.child import Child, start
from safecelery.lint.source.reader import Read, Reader
from safecelery.lint.source.reading import Stamp
from safecelery.lint.source.record import UnreadPart

__all__ = ["Chunks", "Delivery", "Second", "start_second"]

_NUMBER: Final = 4


class Chunks:
    """Numbers 0 to ``count`` - 1 in a pipe, each taken once by whoever comes first."""

    def __init__(self, count: int) -> None:
        if count * _NUMBER > 60_000:  # a pipe holds 65,536 bytes
            raise ValueError(f"{count} chunks do not fit into a pipe")
        self._read, write = os.pipe()
        os.write(write, b"".join(number.to_bytes(_NUMBER, "big") for number in range(count)))
        os.close(write)

    def __iter__(self) -> Iterator[int]:
        while number := os.read(self._read, _NUMBER):
            yield int.from_bytes(number, "big")

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._read)


class Delivery:
    """One round of the child: its files as stamp, unread parts and the payload as JSON; and what they export."""

    __slots__ = ("exports", "files", "unsent")

    def __init__(
        self,
        files: dict[int, tuple[Stamp | None, list[UnreadPart], bytes | None]],
        exports: dict[int, list[str]],
        unsent: list[int],
    ) -> None:
        self.files = files
        self.exports = exports
        self.unsent = unsent
        """Files that concern us but do not fit into JSON."""


class Second:
    """The parent's end. Every method tells with ``None`` that the child is gone."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def receive(self) -> Delivery | None:
        """What the child found in this round."""
        import json

        try:
            head, exports, unsent = json.loads(self._child.heard.readline())
            files = {
                index: (
                    None if stamp is None else (stamp[0], stamp[1], stamp[2], stamp[3]),
                    [(line, message) for line, message in unread],
                    self._line() if matched else None,
                )
                for index, stamp, unread, matched in head
            }
            return Delivery(files, {int(index): names for index, names in exports.items()}, unsent)
        except (OSError, ValueError, EOFError):
            return None

    def _line(self) -> bytes:
        line = self._child.heard.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line[:-1]

    def ask(self, fresh: dict[str, list[str]]) -> bool:
        """Start the next round; False if the child is gone."""
        import json

        try:
            self._child.told.write(json.dumps(fresh).encode() + b"\n")
            self._child.told.flush()
        except OSError:
            return False
        return True

    def end(self) -> None:
        """No more rounds. The child holds nothing that could be lost."""
        self._child.end()


def start_second(reader: Reader, chunks: Chunks, members: Callable[[int], list[int]]) -> Second | None:
    """Fork; None if the system has no room for another process."""
    child = start(partial(_serve, reader, chunks, members))
    return Second(child) if child is not None else None


def _serve(
    reader: Reader,
    chunks: Chunks,
    members: Callable[[int], list[int]],
    questions: BinaryIO,
    answers: BinaryIO,
) -> None:
    import json

    # Each file becomes text at once: whoever is still at that takes no further chunk.
    found = [_Answer(index, reader.first(index)) for number in chunks for index in members(number)]
    while True:
        head = [[each.index, each.stamp, each.unread, each.line is not None] for each in found if not each.unsent]
        unsent = [each.index for each in found if each.unsent]
        answers.write(json.dumps([head, reader.exports(), unsent], separators=(",", ":")).encode() + b"\n")
        answers.writelines(each.line for each in found if each.line is not None)
        answers.flush()
        question = questions.readline()
        if not question:
            return
        followed = reader.follow({key: set(names) for key, names in json.loads(question).items()})
        found = [_Answer(index, each) for index, each in followed.items()]


class _Answer:
    """One file, ready to be sent."""

    __slots__ = ("index", "line", "stamp", "unread", "unsent")

    def __init__(self, index: int, found: Read) -> None:
        import json

        self.index = index
        self.stamp = found.stamp
        self.unread = found.unread
        self.line: bytes | None = None
        """The payload as JSON; None for a file that concerns us not."""
        self.unsent = False
        if found.payload is not None:
            try:
                # A tree holds no circles: to look for them takes a tenth longer.
                self.line = json.dumps(found.payload, separators=(",", ":"), check_circular=False).encode() + b"\n"
            except (TypeError, ValueError, RecursionError):
                self.unsent = True
