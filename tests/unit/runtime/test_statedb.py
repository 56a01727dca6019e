"""Revoked tasks in a JSON file: for as long and as many as Celery keeps them, and never a pickle."""

from __future__ import annotations

import json
import logging
import pickle
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.utils.collections import LimitedSet
from kombu.clocks import LamportClock

from safecelery.errors import StateFileError
from safecelery.runtime.statedb import RevokedTasks


def a_state(*revoked: str, maxlen: int = 5, expires: float = 100.0) -> Any:
    state = SimpleNamespace(revoked=LimitedSet(maxlen=maxlen, expires=expires))
    state.revoked.update(list(revoked))
    return state


def kept(path: Path) -> list[str]:
    return [entry[0] for entry in json.loads(path.read_text())["revoked"]]


def write(path: Path, **content: Any) -> None:
    path.write_text(json.dumps({"safecelery": "revoked-tasks", "version": 1, "clock": 0, **content}))
    path.chmod(0o600)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worker.state"


def test_ids_and_clock_outlive_the_worker(path: Path) -> None:
    before = RevokedTasks(a_state(), str(path), LamportClock(41))
    before.state.revoked.update(["a", "b"])
    before.save()
    after = RevokedTasks(a_state(), str(path), LamportClock(1))
    assert list(after.state.revoked) == ["a", "b"]
    assert after.clock.value > 41


def test_the_time_of_the_revoke_counts_not_that_of_the_restart(path: Path) -> None:
    now = time.time()
    write(path, revoked=[["old", now - 101], ["young", now - 60], ["from the future", now + 5000]])
    after = RevokedTasks(a_state(), str(path))
    assert set(after.state.revoked) == {"young", "from the future"}
    after.state.revoked.purge(time.monotonic() + 41)
    assert set(after.state.revoked) == {"from the future"}
    after.state.revoked.purge(time.monotonic() + 101)
    assert set(after.state.revoked) == set()


def test_no_more_than_celery_keeps_and_the_latest_of_them(path: Path) -> None:
    now = time.time()
    write(path, revoked=[[f"t{age}", now - age] for age in range(1, 9)])
    after = RevokedTasks(a_state(), str(path))
    assert set(after.state.revoked) == {"t1", "t2", "t3", "t4", "t5"}
    assert set(kept(path)) == set(after.state.revoked)


def test_it_is_written_when_something_is_new_and_only_then(path: Path) -> None:
    store = RevokedTasks(a_state("a"), str(path))
    first = path.stat().st_ino
    store.save_changes()
    assert path.stat().st_ino == first
    store.state.revoked.add("b")
    store.save_changes()
    assert kept(path) == ["a", "b"]
    store.state.revoked.add("a")  # again, so it counts from now
    store.save_changes()
    assert kept(path) == ["b", "a"]


def test_a_burst_of_commands_writes_once_in_a_while(path: Path) -> None:
    store = RevokedTasks(a_state(), str(path))
    for number in range(4):
        store.state.revoked.add(str(number))
        store.save_soon()
    assert kept(path) == ["0"]
    store.save_changes()
    assert kept(path) == ["0", "1", "2", "3"]


def test_a_file_that_cannot_be_written_is_told_once_and_again_when_it_can(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = RevokedTasks(a_state(), str(path))
    blocked = path.with_name(f".{path.name}.tmp")
    blocked.mkdir()
    for task_id in ("a", "b"):
        store.state.revoked.add(task_id)
        store.save_changes()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "kept in memory only" in caplog.text
    assert kept(path) == []
    blocked.rmdir()
    store.save_changes()
    assert kept(path) == ["a", "b"]
    assert "again" in caplog.records[-1].message


def test_a_worker_that_could_never_write_does_not_start(tmp_path: Path) -> None:
    (tmp_path / ".state.tmp").mkdir()
    with pytest.raises(StateFileError, match="cannot be written"):
        RevokedTasks(a_state(), str(tmp_path / "state"))


def test_a_child_of_a_fork_writes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RevokedTasks(a_state(), str(path))
    store.state.revoked.add("a")
    monkeypatch.setattr("safecelery.runtime.statedb.os.getpid", lambda: -1)
    store.save()
    assert kept(path) == []


@pytest.mark.parametrize("suffix", ["", ".db", ".dat"])
def test_what_celery_kept_is_neither_opened_nor_forgotten_silently(path: Path, suffix: str) -> None:
    old = path.with_name(path.name + suffix)
    old.write_bytes(pickle.dumps({"zrevoked": b""}))
    old.chmod(0o600)
    with pytest.raises(StateFileError, match="never opened here") as refused:
        RevokedTasks(a_state(), str(path))
    assert "name " in str(refused.value).partition("fix: ")[2]
    assert pickle.loads(old.read_bytes()) == {"zrevoked": b""}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"revoked": {}},
        {"revoked": ["a"]},
        {"revoked": [["a"]]},
        {"revoked": [["a", 1.0, 2]]},
        {"revoked": [[1, 1.0]]},
        {"revoked": [["", 1.0]]},
        {"revoked": [["a", "1"]]},
        {"revoked": [["a", True]]},
        {"revoked": [["a", float("nan")]]},
        {"revoked": [["a", float("inf")]]},
        {"revoked": [["a", 10**400]]},
        {"revoked": [], "clock": -1},
        {"revoked": [], "clock": "1"},
        {"revoked": [], "clock": True},
        {"revoked": [], "clock": 1 << 63},
    ],
)
def test_broken_content_is_refused_and_kept(path: Path, content: dict[str, Any]) -> None:
    write(path, **content)
    before = path.read_bytes()
    with pytest.raises(StateFileError, match="broken"):
        RevokedTasks(a_state(), str(path), LamportClock())
    assert path.read_bytes() == before
