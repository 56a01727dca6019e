"""Real worker and beat processes for tests and the demo: started as a user starts them, stopped by their own pid."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from safecelery.testing.servers.process import ManagedProcess, Startable

__all__ = ["CeleryProcess"]

_READY = {"worker": re.compile(r"@\S+ ready\.$", re.MULTILINE), "beat": re.compile(r"beat: Starting\.\.\.")}


class CeleryProcess(Startable):
    """``celery -A APP worker|beat ARGS`` in a process of its own, as a context manager.

    Args:
        app: what ``-A`` takes.
        command: ``worker`` or ``beat``.
        args: further arguments of the command.
        directory: working directory and home of the log; the app is imported from here.
        env: added to PATH and the caller's Python path. Nothing else of this process' environment is passed on.
    """

    def __init__(
        self,
        app: str,
        command: str,
        args: Sequence[str] = (),
        *,
        directory: Path,
        env: Mapping[str, str],
        name: str = "",
    ) -> None:
        self.name = name or command
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
            "HOME": str(directory),
            "PYTHONPATH": os.pathsep.join([str(directory), *sys.path]),
            "PYTHONDONTWRITEBYTECODE": "1",
            **env,
        }
        argv = [sys.executable, "-m", "celery", "-A", app, command, "--loglevel", "INFO", *args]
        self._ready = _READY[command]
        self._process = ManagedProcess(
            self.name, argv, log=directory / f"{self.name}.log", cwd=directory, env=environment
        )

    def start(self, *, deadline_s: float = 90.0) -> Self:
        """Start and wait until the process says that it is ready.

        Raises:
            ServerError: it ended, or did not say so in time; the text ends with its log.
        """
        self._process.start(ready=lambda: bool(self._ready.search(self.log)), deadline_s=deadline_s)
        return self

    def stop(self) -> None:
        """Warm shutdown, then KILL after half a minute."""
        self._process.stop()

    @property
    def log(self) -> str:
        """What the process wrote so far."""
        return self._process.read_log()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.running
