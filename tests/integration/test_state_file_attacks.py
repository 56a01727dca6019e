"""State files that somebody else wrote: refused, kept, and never a way to run code, as they are with plain Celery."""

from __future__ import annotations

import os
import pickle
import shelve
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safecelery.testing.processes import CeleryProcess
from tests.integration.stage import Stage, eventually
from tests.integration.state_stage import HOURLY, refusal, remembered, run

PICKLED = "tests.integration.pickled_state"


class Bomb:
    """Unpickled, it makes a directory: the proof that code ran."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.witness),)


def _shelf(file: Path, bomb: Bomb) -> None:
    """As ``shelve`` makes it here: one file, or FILE.dir, FILE.dat and FILE.bak."""
    with shelve.open(str(file)) as shelf:
        for key in ("entries", "zrevoked", "revoked", "__version__", "tz", "utc_enabled"):
            shelf[key] = bomb


def _sqlite(file: Path, bomb: Bomb) -> None:
    """As ``dbm.sqlite3`` makes it, from Python 3.13."""
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)")
        database.execute("INSERT INTO Dict VALUES (?, ?)", (b"entries", pickle.dumps(bomb)))
    database.close()


def _gdbm(file: Path, bomb: Bomb) -> None:
    """The magic number of ``dbm.gnu``, and a pickle."""
    file.write_bytes(b"\xce\x9a\x57\x13" + pickle.dumps(bomb))


def _pickle(file: Path, bomb: Bomb) -> None:
    file.write_bytes(pickle.dumps({"entries": bomb, "zrevoked": bomb}))


def _disguised(file: Path, bomb: Bomb) -> None:
    file.write_bytes(b'{"safecelery": "beat-schedule", "version": 1, ' + pickle.dumps(bomb))


TRAPS: dict[str, Callable[[Path, Bomb], None]] = {
    "shelve": _shelf, "sqlite": _sqlite, "gdbm": _gdbm, "pickle": _pickle, "disguised": _disguised,
}  # fmt: skip


@pytest.fixture
def environment(bare_stage: Stage) -> dict[str, str]:
    return bare_stage.environment("producer")


def spring(trap: str, directory: Path) -> tuple[Path, Path]:
    """A state file that makes a directory when somebody unpickles it."""
    file, witness = directory / "state", directory / "witness"
    TRAPS[trap](file, Bomb(witness))
    for made in directory.iterdir():
        made.chmod(0o600)
    return file, witness


@pytest.mark.redis
@pytest.mark.parametrize(
    "words", [("worker", "-P", "solo", "--statedb"), ("beat", "--schedule")], ids=["worker", "beat"]
)
def test_plain_celery_runs_what_is_in_the_file(tmp_path: Path, words: tuple[str, ...]) -> None:
    """The traps work: without this, the other tests would prove nothing."""
    file, witness = spring("shelve", tmp_path)
    process = run({}, tmp_path, PICKLED, *words, str(file))
    try:
        eventually(witness.is_dir, what="code from the file ran")
    finally:
        process.terminate()
        process.wait(timeout=60)


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name.startswith("state")}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_worker_refuses_the_file_and_leaves_it(environment: dict[str, str], tmp_path: Path, trap: str) -> None:
    file, witness = spring(trap, tmp_path)
    before = contents(tmp_path)
    said = refusal(environment, tmp_path, "service.app", "worker", "--statedb", str(file))
    assert "this worker does not start" in said
    assert str(file) in said
    assert "fix: " in said
    assert not witness.exists()
    assert before.items() <= contents(tmp_path).items()


@pytest.mark.parametrize("trap", TRAPS)
def test_beat_refuses_the_file_or_begins_beside_it(environment: dict[str, str], tmp_path: Path, trap: str) -> None:
    file, witness = spring(trap, tmp_path)
    before = contents(tmp_path)
    if file.exists():
        said = refusal(environment, tmp_path, HOURLY, "beat", "--schedule", str(file))
        assert "beat does not start" in said
        assert "fix: " in said
    else:
        beat = CeleryProcess(HOURLY, "beat", ["--schedule", str(file)], directory=tmp_path, env=environment)
        with beat:
            assert beat.log.count("begins empty, so all entries count from now") == 1
            assert f"{file}.dat" in beat.log
        assert file.read_bytes().startswith(b'{"safecelery": "beat-schedule"')
    assert not witness.exists()
    assert before.items() <= contents(tmp_path).items()


def test_beat_inside_a_worker_refuses_it_too(bare_stage: Stage, tmp_path: Path) -> None:
    file, witness = spring("pickle", tmp_path)
    worker = CeleryProcess(
        HOURLY, "worker", ["-c", "1", "-Q", "nobodys", "--beat", "--schedule", str(file), "-n", "embedding@%h"],
        directory=tmp_path, env=bare_stage.environment("producer"),
    )  # fmt: skip
    with worker:
        eventually(lambda: "beat does not start. state file" in worker.log, what="the refusal")
    assert not witness.exists()


def test_beat_refuses_celerys_own_scheduler(environment: dict[str, str], tmp_path: Path) -> None:
    file, witness = spring("shelve", tmp_path)
    said = refusal(environment, tmp_path, HOURLY, "beat", "-S", "celery.beat:PersistentScheduler", "-s", str(file))
    assert "keeps a pickle" in said
    assert not witness.exists()


def _of_somebody_else(file: Path) -> None:
    remembered(file, hours_ago=2)
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(file, 12345, 12345)


def _open_to_others(file: Path) -> None:
    remembered(file, hours_ago=2)
    file.chmod(0o666)


def _a_link(file: Path) -> None:
    remembered(file.with_name("elsewhere"), hours_ago=2)
    file.symlink_to("elsewhere")


def _of_a_later_version(file: Path) -> None:
    remembered(file, hours_ago=2)
    file.write_text(file.read_text().replace('"version": 1', '"version": 2'))


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (_of_somebody_else, "belongs to user 12345"),
        (_open_to_others, "mode 0666"),
        (_a_link, "symbolic link"),
        (os.mkfifo, "no regular file"),
        (Path.mkdir, "no regular file"),
        (_of_a_later_version, "version 2"),
    ],
)
@pytest.mark.parametrize("command", ["worker", "beat"])
def test_a_file_that_others_may_have_written_is_refused(
    environment: dict[str, str], tmp_path: Path, place: Callable[[Path], None], why: str, command: str
) -> None:
    file = tmp_path / "state"
    place(file)
    if command == "worker" and why == "version 2":
        file.write_text(file.read_text().replace("beat-schedule", "revoked-tasks"))
    option = {"worker": "--statedb", "beat": "--schedule"}[command]
    assert why in refusal(environment, tmp_path, HOURLY, command, option, str(file))
