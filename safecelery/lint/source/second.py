"""A second process that reads half of the files, where the system can fork cheaply.

Both processes take numbers of chunks from one pipe: a read of four bytes is atomic, so neither waits for the other and
no chunk is taken twice. What the child found comes back as JSON. A child that dies costs only time: what it took and
did not deliver is read here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Final

from safecelery.lint.source.reader import Read, Reader
from safecelery.lint.source.reading import Stamp
from safecelery.lint.source.record import UnreadPart

__all__ = ["Chunks", "Delivery", "Second", "can_fork", "fork", "start_second"]

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


def can_fork() -> bool:
    """Whether a fork is safe and cheap here: Linux or BSD, more than one processor, no other thread."""
    if not hasattr(os, "fork") or sys.platform == "darwin":  # on macOS system libraries do not survive a fork
        return False
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return False
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) > 1 if affinity is not None else (os.cpu_count() or 1) > 1


def fork() -> int:
    """``os.fork``, whose child ends at Ctrl-C without a word. In the midst of it no Ctrl-C is heard: Python would print
    the interruption of its own preparations, and forget it (threading.py, ``_after_fork``).

    Raises:
        OSError: no room for another process.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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

    def __init__(self, pid: int, read: int, write: int) -> None:
        self._pid = pid
        self._from = os.fdopen(read, "rb")
        self._to = os.fdopen(write, "wb")

    def receive(self) -> Delivery | None:
        """What the child found in this round."""
        import json

        try:
            head, exports, unsent = json.loads(self._from.readline())
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
        line = self._from.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line[:-1]

    def ask(self, fresh: dict[str, list[str]]) -> bool:
        """Start the next round; False if the child is gone."""
        import json

        try:
            self._to.write(json.dumps(fresh).encode() + b"\n")
            self._to.flush()
        except OSError:
            return False
        return True

    def end(self) -> None:
        """No more rounds: the child is ended and waited for. It holds nothing that could be lost."""
        for file in (self._to, self._from):
            with contextlib.suppress(OSError):  # unsent bytes for a child that is gone
                file.close()
        with contextlib.suppress(OSError):  # somebody else's handler waited for it
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def start_second(reader: Reader, chunks: Chunks, members: Callable[[int], list[int]]) -> Second | None:
    """Fork; None if the system has no room for another process."""
    down_read, down_write = os.pipe()
    up_read, up_write = os.pipe()
    try:
        pid = fork()
    except OSError:
        for descriptor in (down_read, down_write, up_read, up_write):
            os.close(descriptor)
        return None
    if pid == 0:
        status = 1
        try:
            os.close(down_write)
            os.close(up_read)
            _serve(reader, chunks, members, down_read, up_write)
            status = 0
        finally:
            os._exit(status)
    os.close(down_read)
    os.close(up_write)
    return Second(pid, up_read, down_write)


def _serve(reader: Reader, chunks: Chunks, members: Callable[[int], list[int]], read: int, write: int) -> None:
    import json

    with os.fdopen(read, "rb") as questions, os.fdopen(write, "wb") as answers:
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
