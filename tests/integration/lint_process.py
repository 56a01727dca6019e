"""A project on disk, and ``safecelery`` run on it as users run it: in a process of its own."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

__all__ = ["CLEAN", "DONE", "SAFE_APP", "SHOP", "LintedProject"]

#: Every way in which a run may end.
DONE = (0, 1, 2)

#: An app that no rule of a task depends on, so that what is found is about the tasks.
SAFE_APP = "from safecelery import SafeTask, create_app\n\napp = create_app('shop')\n"
CLEAN = SAFE_APP + "\n\n@app.task(time_limit=60, soft_time_limit=50)\ndef charge(order: int) -> None: ...\n"

#: One misspelt option (fixed safely), one early acknowledgement, no limits.
SHOP = """\
from celery import Celery

app = Celery("shop")


@app.task
def charge(order: int) -> int:
    return order  # näive


@app.task(time_limit=30, soft_time_limit=20, ignore_results=True)
def refund(order: int) -> int:
    return order
"""

#: Root may read everything; without these rights it is like anybody, and what it owns obeys modes.
_AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown")


class LintedProject:
    """Files below ``room/project``, a cache and a home of their own beside it."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.directory = room / "project"
        self.directory.mkdir()
        self.cache = room / "cache"
        self.env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_CACHE_HOME": str(self.cache),
            "HOME": str(room),
            "LC_ALL": "C.UTF-8",
        }

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())

    def command(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "safecelery", *map(str, words)]

    def run(
        self, *words: object, anybody: bool = False, cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """``run("lint", "src")``. ``anybody``: without root's rights to pass over modes."""
        prefix: tuple[str, ...] = ()
        if anybody and os.getuid() == 0:
            if shutil.which(_AS_ANYBODY[0]) is None:
                pytest.skip("root may read everything, and setpriv is not installed")
            prefix = _AS_ANYBODY
        done = subprocess.run(
            [*prefix, *self.command(*words)], cwd=cwd or self.directory, env={**self.env, **env},
            capture_output=True, text=True, errors="surrogateescape", timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert "Traceback" not in done.stdout, done.stdout
        return done

    def report(self, *words: object, **options: Any) -> dict[str, Any]:
        """What ``lint`` says, as JSON."""
        done = self.run("lint", *words, "--format", "json", **options)
        assert done.returncode in DONE, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        assert bool(found["unread"]) == (done.returncode == 2)
        return found

    def codes(self, *words: object, **options: Any) -> list[str]:
        """The code of each finding."""
        return [finding["code"] for finding in self.report(*words, **options)["findings"]]

    def on_terminal(self, *words: object, columns: int = 80, **env: str) -> tuple[int, str]:
        """Exit status and everything that appears on a terminal of that width."""
        import fcntl
        import struct
        import termios

        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            self.command(*words), cwd=self.directory, env={**self.env, "TERM": "xterm", **env},
            stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        try:
            return _shown(ours, process)
        finally:
            os.close(ours)
            process.kill()
            process.wait()


def _shown(terminal: int, process: subprocess.Popen[bytes]) -> tuple[int, str]:
    shown = b""
    end = time.monotonic() + 60
    while time.monotonic() < end and select.select([terminal], [], [], 60)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux: nobody has the other end open any more
            break
        if not part:
            break
        shown += part
    return process.wait(timeout=60), shown.decode()
