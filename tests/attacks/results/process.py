"""The caller: a process of its own that is told what to do line by line, and says what it believes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["Caller", "CallerDied", "CallerHangs", "peak_mib", "reset_peak"]

#: Seconds for a caller to import its application.
START_S = 90.0


class CallerDied(Exception):
    """Its process has ended; the text says how."""


class CallerHangs(Exception):
    """It lives and does not answer."""


class Caller:
    """``python -m service.caller``.

    Args:
        directory: home of its log, what it writes to its standard error.
        env: added to PATH and the Python path.
    """

    def __init__(self, directory: Path, env: Mapping[str, str]) -> None:
        self._log = directory / "caller.log"
        self._directory = directory
        self._env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
            "HOME": str(directory),
            "PYTHONPATH": os.pathsep.join([str(directory), *sys.path]),
            "PYTHONDONTWRITEBYTECODE": "1",
            **env,
        }
        self._unread = b""

    def start(self) -> Caller:
        """Start, and wait until it listens."""
        self._stderr = self._log.open("ab")
        self._child = subprocess.Popen(
            [sys.executable, "-m", "service.caller"],
            cwd=self._directory,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,
        )
        assert self._child.stdout is not None
        os.set_blocking(self._child.stdout.fileno(), False)
        assert self.hear(START_S) == {"event": "ready"}
        return self

    def stop(self) -> None:
        """End of input; then KILL."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.close()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()
        self._stderr.close()
        self._unread = b""

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._child.poll() is None

    @property
    def log(self) -> str:
        """What it logged so far."""
        return self._log.read_text(errors="replace")

    def tell(self, do: str, **what: Any) -> None:
        """Give a command."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps({"do": do, **what}).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise CallerDied(self._end()) from None

    def hear(self, within_s: float) -> dict[str, Any]:
        """The next thing it says.

        Raises:
            CallerDied, CallerHangs: it says nothing more, or nothing in time.
        """
        assert self._child.stdout is not None
        deadline = time.monotonic() + within_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            chunks = [self._unread]
            while b"\n" not in chunks[-1]:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise CallerHangs(f"no answer within {within_s:g} s")
                data = os.read(self._child.stdout.fileno(), 1 << 20)
                if not data:
                    raise CallerDied(self._end())
                chunks.append(data)
        line, _, self._unread = b"".join(chunks).partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        return said

    def ask(self, do: str, *, within_s: float = 60.0, **what: Any) -> dict[str, Any]:
        """Give a command, and wait until it is done."""
        self.tell(do, **what)
        while (said := self.hear(within_s))["event"] != "done":
            pass
        return said

    def _end(self) -> str:
        status = self._child.wait(10)
        last = [line for line in self.log.splitlines() if line.strip()][-1:]
        return f"exit status {status}: {last[0][:100] if last else ''}"


def peak_mib(pid: int) -> int:
    """The most memory that a process had since :func:`reset_peak` (proc(5), ``VmHWM``); 0 where there is no /proc."""
    try:
        match = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) >> 10 if match else 0


def reset_peak(pid: int) -> None:
    """Forget it (proc(5), ``clear_refs``)."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
