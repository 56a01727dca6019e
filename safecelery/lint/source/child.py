"""A forked child with a pipe each way, for work that costs only time if the child dies."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

__all__ = ["Child", "can_fork", "start"]


class Child:
    """The parent's end: what it is told goes into ``told``, what it says comes out of ``heard``."""

    __slots__ = ("_pid", "heard", "told")

    def __init__(self, pid: int, told: int, heard: int) -> None:
        self._pid = pid
        self.told: BinaryIO = os.fdopen(told, "wb")
        self.heard: BinaryIO = os.fdopen(heard, "rb")

    def end(self) -> None:
        """It is ended, whatever it is at, and waited for."""
        for stream in (self.told, self.heard):
            with contextlib.suppress(OSError):  # unsent bytes for a child that is gone
                stream.close()
        with contextlib.suppress(OSError):  # somebody else's handler waited for it
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def start(serve: Callable[[BinaryIO, BinaryIO], object]) -> Child | None:
    """Fork a child whose whole life is ``serve(questions, answers)``; None if the system has no room for it.

    Whether forking is safe is the caller's to ask: :func:`can_fork`.
    """
    ends: list[int] = []
    try:
        ends += os.pipe()
        ends += os.pipe()
        pid = _fork()
    except OSError:
        for end in ends:
            os.close(end)
        return None
    questions, told, heard, answers = ends
    if pid == 0:
        status = 1
        try:
            os.close(told)
            os.close(heard)
            with os.fdopen(questions, "rb") as asked, os.fdopen(answers, "wb") as said:
                serve(asked, said)
            status = 0
        finally:
            os._exit(status)
    os.close(questions)
    os.close(answers)
    return Child(pid, told, heard)


def can_fork() -> bool:
    """Whether a fork is safe and cheap here: Linux or BSD, more than one processor, no other thread."""
    if not hasattr(os, "fork") or sys.platform == "darwin":  # on macOS system libraries do not survive a fork
        return False
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return False
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) > 1 if affinity is not None else (os.cpu_count() or 1) > 1


def _fork() -> int:
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
