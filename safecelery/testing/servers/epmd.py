"""Erlang's port mapper, started in the foreground and for one node only.

An Erlang node that finds no epmd starts one as a daemon, which outlives the node. Starting it here first, on a port of
its own, means it can be stopped by its pid like every other process.
"""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from safecelery.testing.servers.process import ManagedProcess, ServerError

__all__ = ["PortMapper"]

START_DEADLINE_S = 40.0


class PortMapper:
    """An epmd listening on ``port`` of 127.0.0.1."""

    def __init__(self, home: Path, port: int) -> None:
        program = shutil.which("epmd")
        if program is None:
            message = "no epmd was found on PATH; it is part of Erlang: 'apt-get install erlang-base'"
            raise ServerError(message)
        self.port = port
        self._process = ManagedProcess(
            "epmd",
            [program, "-port", str(port), "-address", "127.0.0.1"],
            log=home / "epmd.log",
            cwd=home,
            env={"PATH": os.environ.get("PATH", os.defpath)},
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it accepts connections."""
        self._process.start(ready=self._accepts, deadline_s=START_DEADLINE_S)

    def stop(self) -> None:
        """Stop it by its pid."""
        self._process.stop()

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
