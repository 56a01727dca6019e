"""State files of real workers and beats outlive a kill, and belong to one process."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from safecelery import create_app
from safecelery.testing.processes import CeleryProcess
from tests.integration.control_stage import ControlStage
from tests.integration.stage import Stage, eventually, let_go
from tests.integration.state_stage import HOURLY, refusal, remembered

HOURS = "hours"


# Revoked tasks --------------------------------------------------------------------------------------------------------


def test_what_was_revoked_stays_so_when_the_worker_is_killed(remote: ControlStage, tmp_path: Path) -> None:
    file = tmp_path / "revoked.state"
    with remote.worker("stateful", "--statedb", str(file), "-Q", "stateful") as worker:
        eventually(lambda: remote.ping("stateful"), what="an answer")
        assert "flagged as revoked" in remote.ask("revoke", "stateful", task_id=["never-1", "never-2"])["ok"]
        os.kill(worker.pid, signal.SIGKILL)
        eventually(lambda: not worker.running, what="the end of the worker")
    kept = json.loads(file.read_text())
    assert {entry[0] for entry in kept["revoked"]} == {"never-1", "never-2"}
    assert all(abs(entry[1] - time.time()) < 600 for entry in kept["revoked"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    witness = tmp_path / "witness"
    with remote.worker("stateful", "--statedb", str(file), "-Q", "stateful", SERVICE_WITNESS=str(witness)) as worker:
        eventually(lambda: remote.ping("stateful"), what="an answer")
        assert set(remote.ask("revoked", "stateful")) == {"never-1", "never-2"}
        app = create_app("web", remote.settings("web", results={}), set_as_current=False)
        for task_id in ("never-1", "always", "never-2"):
            app.send_task("service.add", (1, 2), task_id=task_id, queue="stateful")
        eventually(lambda: "Discarding revoked task: service.add[never-2]" in worker.log, what="the second of them")
        eventually(witness.exists, what="the task that may run")
        let_go(app)
    assert "Discarding revoked task: service.add[never-1]" in worker.log
    assert len(witness.read_text().splitlines()) == 1
    assert "Traceback" not in worker.log


def test_a_second_worker_cannot_take_the_same_file(remote: ControlStage, tmp_path: Path) -> None:
    file = tmp_path / "revoked.state"
    with remote.worker("first", "--statedb", str(file)):
        said = refusal(remote.environment("worker"), tmp_path, "service.app", "worker", "--statedb", str(file))
        assert "another process is using it" in said


# Beat -----------------------------------------------------------------------------------------------------------------


@contextmanager
def a_beat(stage: Stage, file: Path, name: str = "beat") -> Iterator[CeleryProcess]:
    with CeleryProcess(
        HOURLY, "beat", ["--schedule", str(file), "--max-interval", "1"],
        directory=stage.directory, env=stage.environment("producer"), name=name,
    ) as beat:  # fmt: skip
        yield beat


def sent(stage: Stage, found: list[int]) -> list[int]:
    """The first arguments of what beat has sent so far."""
    found += [json.loads(item.body)[0][0] for item in stage.take(HOURS)] if stage.depth(HOURS) else []
    return found


def test_a_killed_beat_sends_nothing_twice_and_forgets_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.keys.add("hourly", send=["service.*"], queues=[HOURS])
    file, found = tmp_path / "schedule", list[int]()
    remembered(file, hours_ago=2)
    environment = stage.environment("hourly")
    for life in range(2):
        arguments = ["--schedule", str(file), "--max-interval", "1"]
        beat = CeleryProcess(HOURLY, "beat", arguments, directory=tmp_path, env=environment, name=f"beat-{life}")
        with beat:
            ticks = found.count(7101)
            eventually(lambda: sent(stage, found).count(7101) >= ticks + 2, what="two ticks")  # noqa: B023
            os.kill(beat.pid, signal.SIGKILL)
            eventually(lambda: not beat.running, what="the end of beat")  # noqa: B023
    assert sent(stage, found).count(7100) == 1
    kept = json.loads(file.read_text())["entries"]
    assert kept["hourly"]["total_run_count"] == 8
    assert kept["tick"]["total_run_count"] >= 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_stopped_beat_goes_on_where_it_was_and_a_second_one_is_refused(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "schedule"
    remembered(file, hours_ago=0.5)
    with a_beat(stage, file, "first"):
        said = refusal(stage.environment("producer"), tmp_path, HOURLY, "beat", "--schedule", str(file))
        assert "another process is using it" in said
    entry = json.loads(file.read_text())["entries"]["hourly"]
    assert entry["total_run_count"] == 7
    assert datetime.fromisoformat(entry["last_run_at"]) < datetime.now(UTC) - timedelta(minutes=20)
