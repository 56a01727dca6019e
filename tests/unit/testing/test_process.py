"""A managed process: ready by a condition, explained when it is not, and gone after stop."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from safecelery.testing.servers import ManagedProcess, ServerError

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


class Programs:
    """Starts Python programs, and stops whatever a failed test left running."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.made: list[ManagedProcess] = []

    def __call__(self, code: str) -> ManagedProcess:
        argv = [sys.executable, "-c", code]
        process = ManagedProcess("program", argv, log=self.home / "program.log", cwd=self.home, env=dict(os.environ))
        self.made.append(process)
        return process


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Programs]:
    programs = Programs(tmp_path)
    yield programs
    for process in programs.made:
        process.stop(grace_s=0.1)


def test_start_returns_once_the_condition_holds(program: Programs) -> None:
    process = program("import time; print('up', flush=True); time.sleep(60)")
    process.start(ready=lambda: "up" in process.read_log(), deadline_s=10)
    assert process.running
    assert os.getpgid(process.pid) == process.pid
    process.stop()
    assert not process.running
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_program_that_ends_early_is_explained_by_its_log(program: Programs) -> None:
    process = program("import sys; sys.exit('no such directive')")
    with pytest.raises(ServerError, match=r"ended before it was ready \(exit status 1\)(?s:.*)no such directive"):
        process.start(ready=lambda: False, deadline_s=10)


def test_a_program_that_never_gets_ready_is_stopped(program: Programs) -> None:
    process = program("import time; time.sleep(60)")
    with pytest.raises(ServerError, match=r"was not ready after 0\.2 s"):
        process.start(ready=lambda: False, deadline_s=0.2)
    assert not process.running


def test_a_condition_that_throws_leaves_nothing_running(program: Programs) -> None:
    process = program("import time; time.sleep(60)")
    with pytest.raises(ZeroDivisionError):
        process.start(ready=lambda: bool(1 // 0), deadline_s=10)
    assert not process.running


def test_a_program_that_ignores_the_request_to_stop_is_killed(program: Programs) -> None:
    process = program(STUBBORN)
    process.start(ready=lambda: "up" in process.read_log(), deadline_s=10)
    process.stop(grace_s=0.1)
    assert not process.running


def test_one_object_is_one_process(program: Programs) -> None:
    process = program("import time; time.sleep(60)")
    with pytest.raises(ServerError, match="was not started"):
        _ = process.pid
    process.start(ready=lambda: True, deadline_s=10)
    with pytest.raises(ServerError, match="is already running"):
        process.start(ready=lambda: True, deadline_s=10)
