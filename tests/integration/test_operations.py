"""Celery's own commands work unchanged: beat, inspect, and a worker's start and stop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from safecelery.testing.processes import CeleryProcess
from tests.integration.envelope import claims_of
from tests.integration.stage import IDLE, TIMEOUT, Stage, eventually


def celery(stage: Stage, words: Sequence[str], owner: str = "producer") -> subprocess.CompletedProcess[str]:
    """``celery -A service.app WORDS`` as an operator types it."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(stage.directory),
        "PYTHONPATH": os.pathsep.join(sys.path),
        **stage.environment(owner),
    }
    return subprocess.run(
        [sys.executable, "-m", "celery", "-A", "service.app", *words],
        env=environment, cwd=stage.directory, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_beat_sends_signed_messages_with_its_own_key(stage: Stage) -> None:
    beat = CeleryProcess(
        "tests.integration.scheduled_app",
        "beat",
        ["--schedule", str(stage.directory / "schedule")],
        directory=stage.directory,
        env=stage.environment("beat"),
    )
    with beat:
        eventually(lambda: len(stage.witnesses("add", x=7007)) >= 2, what="two ticks that ran")
        item = eventually(lambda: stage.take(IDLE), what="a tick on the queue that nobody reads")[0]
    assert claims_of(item)["kid"].startswith("beat-")
    assert claims_of(item)["hdr"]["task"] == "service.add"


def test_inspect_ping(stage: Stage) -> None:
    done = celery(stage, ["inspect", "ping", "--timeout", "10"])
    assert done.returncode == 0, done.stderr
    assert "pong" in done.stdout
    assert "1 node online" in done.stdout


def test_remote_inspection_names_the_tasks(stage: Stage) -> None:
    (names,) = stage.app.control.inspect(timeout=TIMEOUT, limit=1).registered().values()
    assert "service.add" in names


def test_call_sends_a_signed_message(stage: Stage) -> None:
    done = celery(stage, ["call", "service.add", "--args", "[8008, 1]"])
    assert done.returncode == 0, done.stderr
    eventually(lambda: stage.witnesses("add", x=8008))


def test_the_workers_banner_and_log_show_no_secret(stage: Stage) -> None:
    log = stage.worker.log
    assert "service.add" in log
    assert stage.broker.password not in log
    assert stage.results.password not in log
    private = stage.keys.reference("worker").removeprefix("file:")
    secret = next(line for line in Path(private).read_text().splitlines() if line.startswith("secret")).split('"')[1]
    assert secret not in log


def test_a_worker_stops_warmly_beside_another(stage: Stage) -> None:
    second = CeleryProcess(
        "service.app", "worker", ["-c", "1", "-Q", "celery", "-n", "second@%h"],
        directory=stage.directory, env=stage.environment("worker"), name="second",
    )  # fmt: skip
    with second:
        assert second.running
    assert not second.running
    assert "Traceback" not in second.log
    assert stage.call("add", 1, 2) == 3
