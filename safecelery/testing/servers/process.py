"""One child process: own process group, own log file, ready by a condition, stopped by its own pid."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

__all__ = ["ManagedProcess", "ServerError", "Startable"]

POLL_S = 0.02
LOG_TAIL_LINES = 30


class ServerError(RuntimeError):
    """A server could not be started or stopped; the text ends with the tail of its log."""


class Startable(ABC):
    """What is started and stopped, as a context manager."""

    @abstractmethod
    def start(self) -> Self:
        """Return once it is ready."""

    @abstractmethod
    def stop(self) -> None:
        """Return once it has ended; it need not have been started."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class ManagedProcess:
    """A server process that this one started, and the only thing it will ever signal.

    ``log`` receives standard output and error. Standard input is empty. The child leads a session of its own, so that a
    Ctrl-C in the terminal reaches this process alone, which then stops its servers in order.
    """

    def __init__(self, name: str, argv: Sequence[str | Path], *, log: Path, cwd: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.argv = [str(word) for word in argv]
        self.log = log
        self.cwd = cwd
        self.env = dict(env)
        self._child: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; it stays readable after :meth:`stop`."""
        if self._child is None:
            message = f"{self.name} was not started"
            raise ServerError(message)
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def start(self, *, ready: Callable[[], bool], deadline_s: float) -> None:
        """Start, and return once ``ready()`` holds.

        Raises:
            ServerError: the process ended, or ``deadline_s`` seconds passed, before it was ready.
        """
        if self.running:
            message = f"{self.name} is already running as pid {self.pid}"
            raise ServerError(message)
        self._output = self.log.open("wb")
        self._child = subprocess.Popen(  # noqa: S603 - a fixed program with arguments made here, no shell
            self.argv,
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._await(ready, deadline_s)
        except BaseException:
            self.stop()
            raise

    def _await(self, ready: Callable[[], bool], deadline_s: float) -> None:
        deadline = time.monotonic() + deadline_s
        while not ready():
            if not self.running:
                raise ServerError(self._explain("ended before it was ready"))
            if time.monotonic() > deadline:
                raise ServerError(self._explain(f"was not ready after {deadline_s:g} s"))
            time.sleep(POLL_S)

    def _explain(self, what: str) -> str:
        tail = "\n".join(f"    {line}" for line in self.read_log().splitlines()[-LOG_TAIL_LINES:])
        status = self._child.returncode if self._child else None
        return f"{self.name} {what} (exit status {status}); the end of {self.log}:\n{tail or '    (empty)'}"

    def read_log(self) -> str:
        """What the process wrote so far; bytes that are no UTF-8 are replaced."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def stop(self, *, grace_s: float = 30.0) -> None:
        """TERM, wait ``grace_s`` seconds, then KILL the process group. Does nothing when not running."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(grace_s)
            except subprocess.TimeoutExpired:
                os.killpg(self._child.pid, signal.SIGKILL)  # not reaped yet, so the id is still its own
                self._child.wait()
        if self._output is not None:
            self._output.close()
            self._output = None
